/**
 * SHA-256 of bytes that arrive in parts.
 *
 * Our own, because `crypto.subtle` is asynchronous, takes the whole message at once and is absent from pages served over plain HTTP.
 *
 * @see FIPS 180-4, section 6.2
 */
export class Sha256 {
  #state: Uint32Array = Uint32Array.from(initialState);
  #block: Uint8Array = new Uint8Array(64);
  #schedule: Uint32Array = new Uint32Array(64);
  #filled = 0;
  #length = 0;

  /** Adds bytes to the message. */
  update(bytes: Uint8Array): this {
    this.#length += bytes.length;
    let read = 0;
    if (this.#filled > 0) {
      read = Math.min(64 - this.#filled, bytes.length);
      this.#block.set(bytes.subarray(0, read), this.#filled);
      this.#filled += read;
      if (this.#filled < 64) return this;
      this.#compress(this.#block, 0);
      this.#filled = 0;
    }
    for (; read + 64 <= bytes.length; read += 64) this.#compress(bytes, read);
    this.#block.set(bytes.subarray(read), 0);
    this.#filled = bytes.length - read;
    return this;
  }

  /** Ends the message. @returns 64 lower-case hexadecimal digits */
  hex(): string {
    const bits = this.#length * 8;
    const padding = new Uint8Array((this.#filled < 56 ? 64 : 128) - this.#filled);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(padding.length - 4, bits >>> 0);
    this.update(padding);
    return Array.from(this.#state, (word) => word.toString(16).padStart(8, "0")).join("");
  }

  #compress(bytes: Uint8Array, offset: number): void {
    const w = this.#schedule;
    for (let i = 0; i < 16; i++) {
      const at = offset + 4 * i;
      w[i] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!; // 64 bytes follow the offset
    }
    for (let i = 16; i < 64; i++) {
      const a = w[i - 15]!;
      const b = w[i - 2]!;
      const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
      const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
      w[i] = w[i - 16]! + s0 + w[i - 7]! + s1;
    }
    const state = this.#state;
    let a = state[0]!,
      b = state[1]!,
      c = state[2]!,
      d = state[3]!,
      e = state[4]!,
      f = state[5]!,
      g = state[6]!,
      h = state[7]!;
    for (let i = 0; i < 64; i++) {
      const t1 = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + roundConstants[i]! + w[i]!) | 0;
      const t2 = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) state[i]! += word;
  }
}

/** SHA-256 of a whole message. @returns 64 lower-case hexadecimal digits */
export function sha256Hex(bytes: Uint8Array): string {
  return new Sha256().update(bytes).hex();
}

/** The first 32 bits of the fractional parts of the square roots of the first 8 primes. */
const initialState: readonly number[] = primes(8).map((prime) => fraction(Math.sqrt(prime)));

/** The same of the cube roots of the first 64 primes. */
const roundConstants: Int32Array = Int32Array.from(primes(64).map((prime) => fraction(Math.cbrt(prime))));

function primes(count: number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return found;
}

function fraction(root: number): number {
  return ((root - Math.floor(root)) * 2 ** 32) | 0;
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}
