import { signed, unsigned } from "./leb128.ts";

/** Types of parameters and locals. */
export const valueKinds = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const;

/** The name of a type. */
export type ValueKind = keyof typeof valueKinds;

/** A parameter or local. */
export interface Local {
  readonly kind: ValueKind;
  readonly index: number;
}

/**
 * Four floats at once. `multiplyAdd` rounds once or twice, as the processor likes; `lower` and `higher` give the first where the second is no less or no
 * greater, and where one is NaN; comparisons give all bits or none, which `and` applies; `addInt` takes bits for whole numbers.
 */
const vectorOperations = {
  abs: 0xe0,
  sqrt: 0xe3,
  add: 0xe4,
  sub: 0xe5,
  mul: 0xe6,
  div: 0xe7,
  max: 0xe9,
  lower: 0xea,
  higher: 0xeb,
  multiplyAdd: 0x105,
  equal: 0x41,
  less: 0x43,
  greater: 0x44,
  atMost: 0x45,
  atLeast: 0x46,
  and: 0x4e,
  andNot: 0x4f,
  or: 0x50,
  addInt: 0xae,
} as const;

const intOperations = { add: 0x6a, sub: 0x6b, mul: 0x6c } as const;

/** So many locals. */
type Locals<Count extends number, Known extends readonly Local[] = []> = Known["length"] extends Count
  ? Known
  : Locals<Count, readonly [...Known, Local]>;

/**
 * Writes one function's code. Every operation puts its result into a local: engines keep locals in registers.
 *
 * @see https://webassembly.github.io/spec/core/binary/instructions.html
 */
export class FunctionBuilder {
  readonly parameters: readonly Local[];
  readonly #locals: Local[] = [];
  readonly #bytes: number[] = [];

  constructor(parameters: readonly ValueKind[]) {
    this.parameters = parameters.map((kind, index) => ({ kind, index }));
  }

  /** All parameters, which must be so many. */
  take<Count extends number>(count: Count): Locals<Count> {
    if (this.parameters.length !== count) throw new RangeError(`a function of ${this.parameters.length} parameters takes ${count}`);
    return this.parameters as unknown as Locals<Count>; // of that length
  }

  /** A parameter. */
  parameter(index: number): Local {
    const local = this.parameters[index];
    if (local === undefined) throw new RangeError(`no parameter ${index}`);
    return local;
  }

  /** A new local, zero at first. */
  local(kind: ValueKind): Local {
    const local = { kind, index: this.parameters.length + this.#locals.length };
    this.#locals.push(local);
    return local;
  }

  /** target = source */
  set(target: Local, source: Local): void {
    this.#get(source);
    this.#set(target);
  }

  /** A new local with another's value. */
  copy(source: Local): Local {
    const target = this.local(source.kind);
    this.set(target, source);
    return target;
  }

  /** target = value */
  setInt(target: Local, value: number): void {
    this.#bytes.push(0x41, ...signed(value));
    this.#set(target);
  }

  /** Whole numbers; `target` may be an operand. */
  int(operation: keyof typeof intOperations, left: Local, right: Local | number, target: Local = this.local("i32")): Local {
    this.#get(left);
    if (typeof right === "number") this.#bytes.push(0x41, ...signed(right));
    else this.#get(right);
    this.#bytes.push(intOperations[operation]);
    return this.#set(target);
  }

  /** Four floats each; `target` may be an operand. */
  vector(operation: keyof typeof vectorOperations, operands: readonly Local[], target: Local = this.local("v128")): Local {
    for (const operand of operands) this.#get(operand);
    this.#bytes.push(0xfd, ...unsigned(vectorOperations[operation]));
    return this.#set(target);
  }

  /** The bits of four whole numbers moved up. */
  shiftLeft(value: Local, bits: number, target: Local = this.local("v128")): Local {
    this.#get(value);
    this.#bytes.push(0x41, ...signed(bits), 0xfd, ...unsigned(0xab));
    return this.#set(target);
  }

  /** A float in all four places. */
  splat(value: Local, target: Local = this.local("v128")): Local {
    this.#get(value);
    this.#bytes.push(0xfd, 0x13);
    return this.#set(target);
  }

  /** The four floats at an address. */
  load(address: Local, offset = 0, target: Local = this.local("v128")): Local {
    this.#get(address);
    this.#bytes.push(0xfd, 0x00, ...memoryArgument(offset));
    return this.#set(target);
  }

  /** The first `count` floats at an address, 1 to 4, and zeros in the other places: nothing else is read. */
  loadFirst(address: Local, { offset = 0, count }: { readonly offset?: number; readonly count: number }): Local {
    if (count >= 4) return this.load(address, offset);
    const value = this.local("v128");
    this.#get(address);
    this.#bytes.push(0xfd, ...unsigned(count === 1 ? 0x5c : 0x5d), ...memoryArgument(offset)); // v128.load32_zero, v128.load64_zero
    this.#set(value);
    if (count < 3) return value;
    this.#get(address);
    this.#get(value);
    this.#bytes.push(0xfd, 0x56, ...memoryArgument(offset + 8), 2); // v128.load32_lane
    return this.#set(value);
  }

  /** One float at an address, in all four places. */
  loadSplat(address: Local, offset = 0, target: Local = this.local("v128")): Local {
    this.#get(address);
    this.#bytes.push(0xfd, 0x09, ...memoryArgument(offset));
    return this.#set(target);
  }

  /** A constant in all four places. */
  constant(value: number, target: Local = this.local("v128")): Local {
    const bytes = new Uint8Array(Float32Array.of(value, value, value, value).buffer);
    this.#bytes.push(0xfd, 0x0c, ...bytes);
    return this.#set(target);
  }

  /** Several constants, each in all four places of a vector. */
  constants<const Values extends readonly number[]>(values: Values): { readonly [Place in keyof Values]: Local } {
    return values.map((value) => this.constant(value)) as { readonly [Place in keyof Values]: Local }; // one for each value
  }

  /** Four floats out of the eight of two vectors, by their places. */
  shuffle(left: Local, right: Local, places: readonly [number, number, number, number], target: Local = this.local("v128")): Local {
    this.#get(left);
    this.#get(right);
    this.#bytes.push(0xfd, 0x0d, ...places.flatMap((place) => [0, 1, 2, 3].map((byte) => place * 4 + byte)));
    return this.#set(target);
  }

  /** The sum of the four floats, in all four places. */
  sum(value: Local): Local {
    const pairs = this.vector("add", [value, this.shuffle(value, value, [2, 3, 0, 1])]);
    return this.vector("add", [pairs, this.shuffle(pairs, pairs, [1, 0, 3, 2])]);
  }

  store(address: Local, offset: number, value: Local): void {
    this.#get(address);
    this.#get(value);
    this.#bytes.push(0xfd, 0x0b, ...memoryArgument(offset));
  }

  /** Stores the first `count` floats, 1 to 4: nothing else is written. */
  storeFirst(address: Local, { offset = 0, count }: { readonly offset?: number; readonly count: number }, value: Local): void {
    if (count >= 4) return this.store(address, offset, value);
    const lane = (operation: number, at: number, place: number): void => {
      this.#get(address);
      this.#get(value);
      this.#bytes.push(0xfd, operation, ...memoryArgument(at), place);
    };
    if (count > 1) lane(0x5b, offset, 0); // v128.store64_lane
    if (count !== 2) lane(0x5a, offset + 4 * (count - 1), count - 1); // v128.store32_lane
  }

  /** The smaller of two whole numbers from 0. */
  least(left: Local, right: Local | number, target: Local = this.local("i32")): Local {
    const other = typeof right === "number" ? this.local("i32") : right;
    if (typeof right === "number") this.setInt(other, right);
    for (const value of [left, other, left, other]) this.#get(value);
    this.#bytes.push(0x49, 0x1b); // i32.lt_u, select
    return this.#set(target);
  }

  /** Runs the body for index = 0, step, 2 step, ... while index < end, at least once. */
  loop({ end, step }: { readonly end: Local | number; readonly step: number }, body: (index: Local) => void): void {
    const index = this.local("i32");
    this.setInt(index, 0);
    this.#bytes.push(0x03, 0x40); // loop
    body(index);
    this.int("add", index, step, index);
    this.#get(index);
    if (typeof end === "number") this.#bytes.push(0x41, ...signed(end));
    else this.#get(end);
    this.#bytes.push(0x49, 0x0d, 0x00, 0x0b); // i32.lt_u, br_if 0, end
  }

  /** The function's locals and code. */
  body(): readonly number[] {
    const locals = this.#locals.flatMap(({ kind }) => [1, valueKinds[kind]]);
    return [...unsigned(this.#locals.length), ...locals, ...this.#bytes, 0x0b];
  }

  #get(local: Local): void {
    this.#bytes.push(0x20, ...unsigned(local.index));
  }

  #set(local: Local): Local {
    this.#bytes.push(0x21, ...unsigned(local.index));
    return local;
  }
}

/** Alignment 4 and an offset. */
function memoryArgument(offset: number): number[] {
  return [0x02, ...unsigned(offset)];
}
