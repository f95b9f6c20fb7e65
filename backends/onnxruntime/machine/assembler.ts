/** General registers in the order of their numbers. */
const registers = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"] as const;

/** A general register of 64 bits. */
export type Register = (typeof registers)[number];

/** A vector register of 16 floats, 0 to 31. */
export type Vector = number;

/** A place in memory: a register's value and a number of bytes. */
export interface Address {
  readonly base: Register;
  readonly displacement?: number;
}

/** A place in the code, before or after it is known where that is. */
export interface Label {
  position: number | undefined;
}

/** An EVEX instruction. */
interface VectorInstruction {
  /** 1: 0F, 2: 0F 38, 3: 0F 3A. */
  readonly map: 1 | 2 | 3;
  /** 0: none, 1: 66. */
  readonly prefix: 0 | 1;
  readonly wide?: boolean;
  readonly opcode: number;
  readonly target: Vector;
  readonly first?: Vector;
  readonly second: Vector | Address;
  /** Bytes of its memory operand: short displacements count in them. */
  readonly unit?: number;
  /** Mask register, 0 for none; elements that it leaves out become zero, or stay where memory is written. */
  readonly mask?: number;
  readonly zeroing?: boolean;
  readonly immediate?: number;
}

/** Three-operand arithmetic on 16 floats. `max` and `min` give their second operand where one is NaN. */
const arithmetic = { add: 0x58, multiply: 0x59, subtract: 0x5c, min: 0x5d, max: 0x5f } as const;

/** Which halves of two vectors' lanes of four floats are mixed. */
const unpacking = {
  lowSingles: { wide: false, opcode: 0x14 },
  highSingles: { wide: false, opcode: 0x15 },
  lowDoubles: { wide: true, opcode: 0x14 },
  highDoubles: { wide: true, opcode: 0x15 },
} as const;

/**
 * Writes x86-64 machine code with AVX-512's foundation.
 *
 * @see https://www.intel.com/content/www/us/en/developer/articles/technical/intel-sdm.html volume 2, sections 2.1 (encoding) and 2.7 (EVEX)
 */
export class Assembler {
  readonly #bytes: number[] = [];
  /** Where distances to labels are written: four bytes that end where the distance is counted from. */
  readonly #distances: { readonly at: number; readonly label: Label }[] = [];

  /** @throws RangeError when a label was never placed, as instructions are for a number that does not fit them */
  code(): Uint8Array<ArrayBuffer> {
    const code = Uint8Array.from(this.#bytes);
    const view = new DataView(code.buffer);
    for (const { at, label } of this.#distances) {
      if (label.position === undefined) throw new RangeError("a label of the code was never placed");
      view.setInt32(at, label.position - (at + 4), true);
    }
    return code;
  }

  /** A label for later. */
  label(): Label {
    return { position: undefined };
  }

  place(label: Label): void {
    label.position = this.#bytes.length;
  }

  // General registers

  move(target: Register, source: Register): void {
    this.#general(0x89, numberOf(source), numberOf(target));
  }

  /** @param value -2^31 to 2^31 - 1 */
  set(target: Register, value: number): void {
    this.#general(0xc7, 0, numberOf(target));
    this.#int32(value);
  }

  /** @param value any 64 bits */
  setWide(target: Register, value: bigint): void {
    const number = numberOf(target);
    this.#bytes.push(0x48 | (number >> 3), 0xb8 | (number & 7));
    for (let byte = 0n; byte < 8n; byte += 1n) this.#bytes.push(Number((value >> (8n * byte)) & 0xffn));
  }

  add(target: Register, value: number): void {
    if (value === 0) return;
    const isShort = value >= -128 && value < 128;
    this.#general(isShort ? 0x83 : 0x81, 0, numberOf(target));
    if (isShort) this.#bytes.push(value & 0xff);
    else this.#int32(value);
  }

  load(target: Register, from: Address): void {
    this.#generalMemory(0x8b, numberOf(target), from);
  }

  store(to: Address, source: Register): void {
    this.#generalMemory(0x89, numberOf(source), to);
  }

  /** The address itself. */
  addressOf(target: Register, { base, displacement }: Address): void {
    this.#generalMemory(0x8d, numberOf(target), { base, displacement: displacement ?? 0 });
  }

  /** Asks for a line of memory that will be used soon. */
  prefetch({ base, displacement = 0 }: Address): void {
    const number = numberOf(base);
    if (number > 7) this.#bytes.push(0x41);
    this.#bytes.push(0x0f, 0x18);
    this.#memory(1, base, displacement, 1);
  }

  push(...names: readonly Register[]): void {
    for (const name of names) this.#short(0x50, numberOf(name));
  }

  pop(...names: readonly Register[]): void {
    for (const name of names) this.#short(0x58, numberOf(name));
  }

  call(label: Label): void {
    this.#bytes.push(0xe8);
    this.#distance(label);
  }

  callAt(target: Register): void {
    const number = numberOf(target);
    if (number > 7) this.#bytes.push(0x41);
    this.#bytes.push(0xff, 0xd0 | (number & 7));
  }

  jumpAt(target: Register): void {
    const number = numberOf(target);
    if (number > 7) this.#bytes.push(0x41);
    this.#bytes.push(0xff, 0xe0 | (number & 7));
  }

  /** Jumps when a register is not zero. */
  jumpUnlessZero(register: Register, label: Label): void {
    this.#general(0x85, numberOf(register), numberOf(register)); // test
    this.#jumpIfNot(label);
  }

  /** Jumps when a register is not a value. @param value -2^31 to 2^31 - 1 */
  jumpUnless(register: Register, value: number, label: Label): void {
    this.#general(0x81, 7, numberOf(register)); // cmp
    this.#int32(value);
    this.#jumpIfNot(label);
  }

  return(): void {
    this.#bytes.push(0xc3);
  }

  /** The body `count` times, which may not change `counter`. */
  repeat(counter: Register, count: number, body: () => void): void {
    if (count <= 0) return;
    if (count === 1) {
      body();
      return;
    }
    this.set(counter, count);
    const begin = this.label();
    this.place(begin);
    body();
    this.#general(0xff, 1, numberOf(counter)); // dec
    this.#jumpIfNot(begin);
  }

  /** Bytes as they are. */
  data(bytes: Uint8Array): void {
    for (const byte of bytes) this.#bytes.push(byte);
  }

  /** How many bytes there are. */
  get length(): number {
    return this.#bytes.length;
  }

  // Vectors of 16 floats

  clear(target: Vector): void {
    this.#vector({ map: 1, prefix: 1, opcode: 0xef, target, first: target, second: target });
  }

  /** @param mask elements that it leaves out are zero */
  loadVector(target: Vector, from: Address, mask = 0): void {
    this.#vector({ map: 1, prefix: 0, opcode: 0x10, target, second: from, unit: 64, mask, zeroing: mask > 0 });
  }

  /** @param mask elements that it leaves out are not written */
  storeVector(to: Address, source: Vector, mask = 0): void {
    this.#vector({ map: 1, prefix: 0, opcode: 0x11, target: source, second: to, unit: 64, mask });
  }

  /** One float in all places. */
  broadcast(target: Vector, from: Address): void {
    this.#vector({ map: 2, prefix: 1, opcode: 0x18, target, second: from, unit: 4 });
  }

  /** The lower 32 bits of a general register, of the first eight, in all places. */
  broadcastRegister(target: Vector, source: Register): void {
    this.#vector({ map: 2, prefix: 1, opcode: 0x7c, target, second: numberOf(source) });
  }

  /** target += first * second */
  multiplyAdd(target: Vector, first: Vector, second: Vector | Address): void {
    this.#vector({ map: 2, prefix: 1, opcode: 0xb8, target, first, second, unit: 64 });
  }

  arithmetic(name: keyof typeof arithmetic, target: Vector, first: Vector, second: Vector): void {
    this.#vector({ map: 1, prefix: 0, opcode: arithmetic[name], target, first, second });
  }

  /** A mask of where the first is less than the second: not where one is NaN. @param mask 1 to 7 */
  less(mask: number, first: Vector, second: Vector): void {
    this.#vector({ map: 1, prefix: 0, opcode: 0xc2, target: mask, first, second, immediate: 1 });
  }

  /** Makes 0 of the elements that a mask leaves out. */
  keep(target: Vector, mask: number): void {
    this.#vector({ map: 1, prefix: 0, opcode: 0x28, target, second: target, mask, zeroing: true });
  }

  unpack(name: keyof typeof unpacking, target: Vector, first: Vector, second: Vector): void {
    const { wide, opcode } = unpacking[name];
    this.#vector({ map: 1, prefix: wide ? 1 : 0, wide, opcode, target, first, second });
  }

  /** Quarters of four floats: two of the first and two of the second. @param choice two bits for each, lowest first */
  shuffleQuarters(target: Vector, first: Vector, second: Vector, choice: number): void {
    this.#vector({ map: 3, prefix: 1, opcode: 0x23, target, first, second, immediate: choice });
  }

  /** The lowest bits of a general register, of the first eight, as a mask register. @param mask 1 to 7 */
  setMask(mask: number, source: Register): void {
    this.#bytes.push(0xc5, 0xf8, 0x92, 0xc0 | (mask << 3) | numberOf(source));
  }

  /** Before code that is not ours runs: it would be slow with the upper halves in use. */
  leaveVectors(): void {
    this.#bytes.push(0xc5, 0xf8, 0x77);
  }

  #general(opcode: number, field: number, operand: number): void {
    this.#bytes.push(0x48 | ((field >> 3) << 2) | (operand >> 3), opcode, 0xc0 | ((field & 7) << 3) | (operand & 7));
  }

  #generalMemory(opcode: number, field: number, { base, displacement = 0 }: Address): void {
    this.#bytes.push(0x48 | ((field >> 3) << 2) | (numberOf(base) >> 3), opcode);
    this.#memory(field, base, displacement, 1);
  }

  #short(opcode: number, number: number): void {
    if (number > 7) this.#bytes.push(0x41);
    this.#bytes.push(opcode | (number & 7));
  }

  #vector({
    map,
    prefix,
    wide = false,
    opcode,
    target,
    first = 0,
    second,
    unit = 64,
    mask = 0,
    zeroing = false,
    immediate,
  }: VectorInstruction): void {
    const isRegister = typeof second === "number";
    const base = isRegister ? second : numberOf(second.base);
    const inverted = (bit: number, shift: number): number => (bit === 0 ? 1 << shift : 0);
    this.#bytes.push(
      0x62,
      inverted(target & 8, 7) | inverted(isRegister ? base & 16 : 0, 6) | inverted(base & 8, 5) | inverted(target & 16, 4) | map,
      (wide ? 0x80 : 0) | ((~first & 15) << 3) | 4 | prefix,
      (zeroing ? 0x80 : 0) | 0x40 | inverted(first & 16, 3) | mask,
      opcode,
    );
    if (isRegister) this.#bytes.push(0xc0 | ((target & 7) << 3) | (second & 7));
    else this.#memory(target, second.base, second.displacement ?? 0, unit);
    if (immediate !== undefined) this.#bytes.push(immediate);
  }

  #memory(field: number, base: Register, displacement: number, unit: number): void {
    const number = numberOf(base) & 7;
    const short = displacement / unit;
    const isShort = Number.isInteger(short) && short >= -128 && short < 128;
    this.#bytes.push((isShort ? 0x40 : 0x80) | ((field & 7) << 3) | number);
    if (number === 4) this.#bytes.push(0x24); // rsp and r12 need a second byte
    if (isShort) this.#bytes.push(short & 0xff);
    else this.#int32(displacement);
  }

  #int32(value: number): void {
    if (value !== (value | 0)) throw new RangeError(`${value} is not a whole number of 32 bits`);
    this.#bytes.push(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff);
  }

  #jumpIfNot(label: Label): void {
    this.#bytes.push(0x0f, 0x85);
    this.#distance(label);
  }

  #distance(label: Label): void {
    this.#distances.push({ at: this.#bytes.length, label });
    this.#int32(0);
  }
}

function numberOf(register: Register): number {
  return registers.indexOf(register);
}
