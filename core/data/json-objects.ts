import { EspalierError } from "../errors.ts";
import { type ByteReader, refuseBinary } from "./byte-reader.ts";
import type { ByteSource } from "./byte-source.ts";
import { malformed } from "./csv-scanner.ts";
import { fieldText } from "./field-text.ts";
import type { TableSettings } from "./table.ts";

/** Where an object starts. */
export interface JsonPlace {
  readonly byte: number;
  readonly line: number;
  /** Whether the objects are elements of one array; false at the start of a file, where it is found. */
  readonly array: boolean;
}

const lineFeed = 10;

/**
 * The JSON objects of a file, one at a time: one a line, or the elements of one array that is the whole file.
 *
 * Empty lines are passed over. Only the object at hand is parsed and kept.
 */
export class JsonObjects {
  /** Where the next object starts. */
  byte: number;
  line: number;
  array: boolean;
  /** The number of the line on which the object that `next` returned last starts. */
  recordLine = 0;
  readonly name: string;
  readonly #reader: ByteReader;
  readonly #maxBytes: number;
  readonly #decoder: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #bytes: Uint8Array = new Uint8Array(0);
  #position = 0;
  #ended = false;
  #started: boolean;
  #needsComma: boolean;

  constructor(source: ByteSource, settings: TableSettings, reader: ByteReader, place: JsonPlace) {
    this.name = source.name;
    this.#reader = reader;
    this.#maxBytes = settings.maxFieldBytes;
    this.byte = place.byte;
    this.line = place.line;
    this.array = place.array;
    this.#started = place.byte > 0;
    this.#needsComma = place.array;
  }

  /** @returns undefined at the end @throws DATA_MALFORMED with the line */
  async next(): Promise<Record<string, unknown> | undefined> {
    if (!this.#started) await this.#start();
    for (;;) {
      if (!(await this.#skipSpace())) {
        if (this.array) throw malformed(this.name, this.line, "the array is not closed: the file ends before its ]");
        return undefined;
      }
      if (this.array && (await this.#skipPunctuation())) continue;
      if (this.#ended && this.#position >= this.#bytes.length) return undefined;
      return await this.#take();
    }
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  /** Passes over a byte order mark and finds out whether the file is an array. */
  async #start(): Promise<void> {
    this.#started = true;
    await this.#more();
    refuseBinary(this.name, this.#bytes);
    if (this.#bytes[0] === 0xef && this.#bytes[1] === 0xbb && this.#bytes[2] === 0xbf) this.#advance(3);
    if (!(await this.#skipSpace()) || this.#bytes[this.#position] !== 0x5b) return;
    this.array = true;
    this.#advance(1);
  }

  /** @returns whether there is a byte that is no space */
  async #skipSpace(): Promise<boolean> {
    for (;;) {
      while (this.#position < this.#bytes.length) {
        const byte = this.#bytes[this.#position];
        if (byte === lineFeed) this.line += 1;
        else if (byte !== 32 && byte !== 9 && byte !== 13) return true;
        this.#advance(1);
      }
      if (this.#ended) return false;
      await this.#more();
    }
  }

  /** Between elements. @returns whether a comma or the end was taken */
  async #skipPunctuation(): Promise<boolean> {
    const byte = this.#bytes[this.#position];
    if (byte === 0x5d) {
      this.#advance(1);
      if (await this.#skipSpace()) throw malformed(this.name, this.line, "something follows the end of the array");
      this.array = false; // what is left is the end of the file
      return true;
    }
    if (this.#needsComma !== (byte === 0x2c))
      throw malformed(this.name, this.line, this.#needsComma ? "a comma is missing between two objects" : "a comma too many");
    if (!this.#needsComma) return false;
    this.#advance(1);
    this.#needsComma = false;
    return true;
  }

  async #take(): Promise<Record<string, unknown>> {
    this.recordLine = this.line;
    const length = this.array ? await this.#elementLength() : await this.#lineLength();
    const bytes = this.#bytes.subarray(this.#position, this.#position + length);
    for (const byte of bytes) if (byte === lineFeed) this.line += 1;
    this.#advance(length);
    this.#needsComma = this.array;
    return this.#parse(bytes);
  }

  async #lineLength(): Promise<number> {
    for (;;) {
      const end = this.#bytes.indexOf(lineFeed, this.#position);
      if (end >= 0) return end - this.#position;
      if (this.#ended) return this.#bytes.length - this.#position;
      await this.#more();
    }
  }

  /** Up to the brace that closes the one here, whatever stands inside texts; for what is no object, up to the next comma or bracket. */
  async #elementLength(): Promise<number> {
    for (;;) {
      let [depth, quoted] = [0, false];
      for (let i = this.#position; i < this.#bytes.length; i++) {
        const byte = this.#bytes[i];
        if (quoted) {
          if (byte === 0x5c) i += 1;
          else if (byte === 0x22) quoted = false;
        } else if (byte === 0x22) quoted = true;
        else if (byte === 0x7b || byte === 0x5b) depth += 1;
        else if (byte === 0x7d || byte === 0x5d) {
          depth -= 1;
          if (depth <= 0) return i + 1 + Math.min(0, depth) - this.#position;
        } else if (depth === 0 && byte === 0x2c) return i - this.#position;
      }
      if (this.#ended) return this.#bytes.length - this.#position;
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    const waiting = this.#bytes.length - this.#position;
    if (waiting > this.#maxBytes) throw malformed(this.name, this.line, `an object is longer than ${this.#maxBytes} bytes; raise maxFieldBytes`);
    const bytes = await this.#reader.read(Math.max(2 ** 16, waiting));
    if (bytes === undefined) {
      this.#ended = true;
      return;
    }
    const joined = new Uint8Array(waiting + bytes.length);
    joined.set(this.#bytes.subarray(this.#position), 0);
    joined.set(bytes, waiting);
    this.#bytes = joined;
    this.#position = 0;
  }

  #advance(bytes: number): void {
    this.#position += bytes;
    this.byte += bytes;
  }

  #parse(bytes: Uint8Array): Record<string, unknown> {
    let value: unknown;
    try {
      value = JSON.parse(this.#decoder.decode(bytes));
    } catch (error) {
      const wrong = malformed(this.name, this.recordLine, `this is not a JSON object${this.array ? "" : " on one line"}: ${shorten(bytes)}`);
      throw new EspalierError(wrong.code, wrong.message, wrong.details, { cause: error });
    }
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>; // JSON.parse makes nothing else
    throw malformed(this.name, this.recordLine, `expected an object of columns, found ${shorten(bytes)}`);
  }
}

function shorten(bytes: Uint8Array): string {
  return fieldText(bytes, 0, Math.min(bytes.length, 60)).trim();
}
