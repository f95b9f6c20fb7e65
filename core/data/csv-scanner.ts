import { EspalierError } from "../errors.ts";

/** What a scanner must know before the first byte. */
export interface CsvScannerOptions {
  /** For messages. */
  readonly name: string;
  /** The byte between fields: 44 for a comma. */
  readonly delimiter: number;
  /** The number of the line that the first byte is on, from 1. */
  readonly line: number;
  /** Whether the byte before the first was a carriage return, so that a line feed here ends the same line. */
  readonly afterReturn: boolean;
  readonly maxFieldBytes: number;
  readonly maxColumns: number;
}

/** How a field stands in the buffer. */
export const plainField = 0;
export const quotedField = 1;
/** Quoted, with doubled quotes inside that stand for one each. */
export const escapedField = 2;

const quote = 34;
const lineFeed = 10;
const carriageReturn = 13;

/**
 * Finds records and fields in bytes that arrive in parts, by RFC 4180: a field may be quoted, then holds delimiters, line ends and doubled quotes;
 * lines end in CRLF, LF or CR, the last one with or without. Lines without any byte are passed over. A quote inside an unquoted field is taken as it stands.
 *
 * After `next()` returned true the record's fields are `count` ranges of `bytes`, without their outer quotes; they are valid until `push`.
 *
 * @see RFC 4180, section 2
 */
export class CsvScanner {
  /** What was pushed and is not yet taken. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Fields of the current record. */
  count = 0;
  starts: Int32Array = new Int32Array(64);
  ends: Int32Array = new Int32Array(64);
  /** plainField, quotedField or escapedField of each field. */
  forms: Uint8Array = new Uint8Array(64);
  /** The line on which the current record starts. */
  recordLine = 0;
  /** The line that comes after the current record. */
  line: number;
  /** Whether the current record ended in a carriage return whose line feed, if there is one, was not seen yet. */
  afterReturn: boolean;
  /** Bytes taken since the scanner was made: the next record starts here. */
  taken = 0;

  readonly #options: CsvScannerOptions;
  #position = 0;
  #length = 0;
  #ended = false;

  constructor(options: CsvScannerOptions) {
    this.#options = options;
    this.line = options.line;
    this.afterReturn = options.afterReturn;
  }

  /** Bytes that wait for the rest of their record. */
  get waiting(): number {
    return this.#length - this.#position;
  }

  /** Adds bytes. Ranges of the record before are void afterwards. */
  push(chunk: Uint8Array): void {
    const waiting = this.waiting;
    if (waiting === 0) {
      this.bytes = chunk;
    } else {
      const joined = new Uint8Array(waiting + chunk.length);
      joined.set(this.bytes.subarray(this.#position, this.#length), 0);
      joined.set(chunk, waiting);
      this.bytes = joined;
    }
    this.#position = 0;
    this.#length = waiting + chunk.length;
  }

  /** Says that no more bytes follow: what waits is the last record. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Goes on to the next record.
   *
   * @returns false when its end was not pushed yet, or nothing is left
   * @throws DATA_MALFORMED with the line: a quote that is not closed, text after a closing quote, a field or record beyond the limits
   */
  next(): boolean {
    this.#skipEmptyLines();
    const { delimiter } = this.#options;
    const { bytes } = this;
    const length = this.#length;
    const begin = this.#position;
    if (begin >= length) return false;
    let at = begin;
    let extraLines = 0;
    this.count = 0;
    this.recordLine = this.line;
    for (;;) {
      // A field starts at `at`.
      if (at < length && bytes[at] === quote) {
        let form = quotedField;
        const start = at + 1;
        const openedOn = this.line + extraLines;
        at = start;
        for (;;) {
          while (at < length && bytes[at] !== quote) {
            const byte = bytes[at];
            if (byte === lineFeed || (byte === carriageReturn && at + 1 < length && bytes[at + 1] !== lineFeed)) extraLines += 1;
            at += 1;
          }
          if (at >= length) return this.#unclosed(start, openedOn);
          if (at + 1 >= length && !this.#ended) return this.#incomplete(start, openedOn);
          if (bytes[at + 1] !== quote || at + 1 >= length) break;
          form = escapedField;
          at += 2;
        }
        this.#addField(start, at, form);
        at += 1;
        if (at < length && bytes[at] !== delimiter && bytes[at] !== lineFeed && bytes[at] !== carriageReturn) {
          throw malformed(
            this.#options.name,
            openedOn,
            `field ${this.count} goes on after its closing quote; a quote inside a quoted field is written twice ("")`,
          );
        }
      } else {
        const start = at;
        while (at < length) {
          const byte = bytes[at]!; // at is below the length
          if (byte === delimiter || byte === lineFeed || byte === carriageReturn) break;
          at += 1;
        }
        if (at >= length && !this.#ended) return this.#incomplete(start, this.line + extraLines);
        this.#addField(start, at, plainField);
      }
      if (at >= length) {
        if (!this.#ended) return false;
        return this.#finish(length, extraLines, false);
      }
      const byte = bytes[at];
      at += 1;
      if (byte !== delimiter) return this.#finish(at, extraLines + 1, byte === carriageReturn);
    }
  }

  #finish(end: number, lines: number, afterReturn: boolean): boolean {
    this.taken += end - this.#position;
    this.#position = end;
    this.line += lines;
    this.afterReturn = afterReturn;
    return true;
  }

  /** Passes over line ends at the start of a record, the line feed of the CRLF before included. */
  #skipEmptyLines(): void {
    while (this.#position < this.#length) {
      const byte = this.bytes[this.#position];
      if (byte !== lineFeed && byte !== carriageReturn) {
        this.afterReturn = false;
        return;
      }
      if (!(byte === lineFeed && this.afterReturn)) this.line += 1;
      this.afterReturn = byte === carriageReturn;
      this.#position += 1;
      this.taken += 1;
    }
  }

  #addField(start: number, end: number, form: number): void {
    const { maxColumns, maxFieldBytes, name } = this.#options;
    if (this.count >= maxColumns) {
      throw malformed(name, this.recordLine, `more than ${maxColumns} fields; is the delimiter right, or raise maxColumns`);
    }
    if (this.count === this.starts.length) {
      this.starts = grown(this.starts, new Int32Array(Math.min(2 * this.count, maxColumns)));
      this.ends = grown(this.ends, new Int32Array(this.starts.length));
      this.forms = grown(this.forms, new Uint8Array(this.starts.length));
    }
    if (end - start > maxFieldBytes) throw this.#tooLong(this.recordLine);
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.forms[this.count] = form;
    this.count += 1;
  }

  #incomplete(start: number, line: number): false {
    if (this.#length - start > this.#options.maxFieldBytes) throw this.#tooLong(line);
    return false;
  }

  #unclosed(start: number, line: number): false {
    if (this.#ended) throw malformed(this.#options.name, line, "a quoted field starts here and is never closed");
    return this.#incomplete(start, line);
  }

  #tooLong(line: number): EspalierError {
    return malformed(
      this.#options.name,
      line,
      `a field is longer than ${this.#options.maxFieldBytes} bytes; is a closing quote missing, or raise maxFieldBytes`,
    );
  }
}

/** The error of a source whose bytes do not follow its format. */
export function malformed(name: string, line: number, problem: string, details: Readonly<Record<string, unknown>> = {}): EspalierError {
  return new EspalierError("DATA_MALFORMED", `${name}, line ${line}: ${problem}`, { source: name, line, ...details });
}

function grown<T extends Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
