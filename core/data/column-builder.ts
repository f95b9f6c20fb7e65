import type { Column } from "../columns.ts";
import { escapedField } from "./csv-scanner.ts";
import type { MissingMatcher } from "./missing-matcher.ts";
import { parseNumber } from "./parse-number.ts";

/** Gathers one column's values from fields of bytes, for one chunk after the other. */
export interface ColumnBuilder {
  /** Adds a field. @returns false when it is text in a column of numbers */
  add(bytes: Uint8Array, start: number, end: number, form: number): boolean;
  /** The column so far; the builder is empty afterwards. */
  take(): Column;
}

/** Rows that a builder starts with room for; it doubles as they come. */
const firstRows = 256;

/** @param missing whether a field that is no number stands for a missing one */
export function numberBuilder(missing: MissingMatcher): ColumnBuilder {
  let values = new Float64Array(firstRows);
  let length = 0;
  return {
    add(bytes, start, end) {
      const value = start === end ? NaN : parseNumber(bytes, start, end);
      // An escaped field holds a quote: neither a number nor missing.
      if (Number.isNaN(value) && start !== end && !missing(bytes, start, end)) return false;
      if (length === values.length) values = grown(values, new Float64Array(2 * length));
      values[length] = value;
      length += 1;
      return true;
    },
    take() {
      const column: Column = { kind: "number", values: values.subarray(0, length) };
      values = new Float64Array(Math.max(firstRows, length));
      length = 0;
      return column;
    },
  };
}

/**
 * Strings, each decoded once a chunk: fields are looked up by their bytes.
 *
 * @param decode UTF-8 to text; throws for other bytes
 */
export function stringBuilder(missing: ReadonlySet<string>, decode: (bytes: Uint8Array) => string): ColumnBuilder {
  let codes = new Int32Array(firstRows);
  let length = 0;
  let interner = new Interner(missing, decode);
  let scratch = new Uint8Array(0);
  return {
    add(bytes, start, end, form) {
      if (length === codes.length) codes = grown(codes, new Int32Array(2 * length));
      if (form === escapedField) {
        if (scratch.length < end - start) scratch = new Uint8Array(2 * (end - start));
        codes[length] = interner.code(scratch, 0, unescapeInto(scratch, bytes, start, end));
      } else codes[length] = interner.code(bytes, start, end);
      length += 1;
      return true;
    },
    take() {
      const column: Column = { kind: "string", codes: codes.subarray(0, length), dictionary: interner.dictionary };
      codes = new Int32Array(Math.max(firstRows, length));
      length = 0;
      interner = new Interner(missing, decode);
      return column;
    },
  };
}

/** Copies a field and writes its doubled quotes once. @returns the length */
export function unescapeInto(to: Uint8Array, bytes: Uint8Array, start: number, end: number): number {
  let length = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!; // inside the field
    to[length++] = byte;
    if (byte === 34) i += 1;
  }
  return length;
}

function grown<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** A dictionary that is looked up by bytes: open addressing over an arena of the entries' bytes. */
class Interner {
  readonly dictionary: string[] = [];
  readonly #missing: ReadonlySet<string>;
  readonly #decode: (bytes: Uint8Array) => string;
  #slots: Int32Array = new Int32Array(256).fill(-1);
  /** Of each entry: hash, place in the arena, length, code (-1 for a text that means missing). */
  #hashes: number[] = [];
  #offsets: number[] = [0];
  #codes: number[] = [];
  #arena: Uint8Array = new Uint8Array(4096);

  constructor(missing: ReadonlySet<string>, decode: (bytes: Uint8Array) => string) {
    this.#missing = missing;
    this.#decode = decode;
  }

  code(bytes: Uint8Array, start: number, end: number): number {
    let hash = 0x811c9dc5; // FNV-1a
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193); // inside the field
    hash ^= hash >>> 15;
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]!; // the mask keeps it inside
      if (entry < 0) return this.#insert(slot, hash, bytes.subarray(start, end));
      if (this.#hashes[entry] === hash && this.#equals(entry, bytes, start, end)) return this.#codes[entry]!;
    }
  }

  #equals(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const offset = this.#offsets[entry]!; // entries have a place each
    if (this.#offsets[entry + 1]! - offset !== end - start) return false;
    for (let i = start, j = offset; i < end; i++, j++) if (bytes[i] !== this.#arena[j]) return false;
    return true;
  }

  #insert(slot: number, hash: number, bytes: Uint8Array): number {
    const entry = this.#codes.length;
    const offset = this.#offsets[entry]!; // one more place than entries
    if (offset + bytes.length > this.#arena.length) {
      const larger = new Uint8Array(2 * (offset + bytes.length));
      larger.set(this.#arena);
      this.#arena = larger;
    }
    this.#arena.set(bytes, offset);
    this.#offsets.push(offset + bytes.length);
    this.#hashes.push(hash);
    this.#slots[slot] = entry;
    const text = this.#decode(bytes);
    const code = this.#missing.has(text.trim()) ? -1 : this.dictionary.push(text) - 1;
    this.#codes.push(code);
    if (2 * (entry + 1) > this.#slots.length) this.#rehash();
    return code;
  }

  #rehash(): void {
    const slots = new Int32Array(2 * this.#slots.length).fill(-1);
    const mask = slots.length - 1;
    for (const [entry, hash] of this.#hashes.entries()) {
      let slot = hash & mask;
      while (slots[slot]! >= 0) slot = (slot + 1) & mask;
      slots[slot] = entry;
    }
    this.#slots = slots;
  }
}
