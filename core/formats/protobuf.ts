import { EspalierError } from "../errors.ts";

/** The largest message that other readers accept: protobuf sizes are signed 32-bit numbers. */
const maxMessageBytes = 2 ** 31 - 1;

/**
 * Writes one protobuf message. Big byte fields are kept by reference until `finish`, so that nesting never copies weights.
 *
 * @example
 * const writer = new ProtobufWriter();
 * writer.int(1, 150);
 * writer.finish(); // 08 96 01
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufWriter {
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** A varint field (int64): any safe integer; negative numbers take ten bytes. */
  int(field: number, value: number | bigint): void {
    this.#varint(field * 8);
    this.#varint(value);
  }

  /** A 32-bit float field. */
  float(field: number, value: number): void {
    this.#varint(field * 8 + 5);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#append(bytes);
  }

  /** A 64-bit float field. */
  double(field: number, value: number): void {
    this.#varint(field * 8 + 1);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.#append(bytes);
  }

  string(field: number, value: string): void {
    this.bytes(field, new TextEncoder().encode(value));
  }

  /** A byte field, not copied before `finish`. */
  bytes(field: number, value: Uint8Array): void {
    this.#varint(field * 8 + 2);
    this.#varint(value.byteLength);
    this.#append(value);
  }

  /** A nested message. */
  message(field: number, write: (writer: ProtobufWriter) => void): void {
    const inner = new ProtobufWriter();
    write(inner);
    this.#varint(field * 8 + 2);
    this.#varint(inner.#length);
    for (const chunk of inner.#chunks) this.#append(chunk);
  }

  /** Repeated integers in the packed form. */
  packedInts(field: number, values: readonly number[]): void {
    this.message(field, (inner) => {
      for (const value of values) inner.#varint(value);
    });
  }

  /** Repeated 32-bit floats in the packed form. */
  packedFloats(field: number, values: readonly number[]): void {
    const view = new DataView(new ArrayBuffer(values.length * 4));
    values.forEach((value, i) => view.setFloat32(i * 4, value, true));
    this.bytes(field, new Uint8Array(view.buffer));
  }

  /** Repeated 64-bit floats in the packed form. */
  packedDoubles(field: number, values: readonly number[]): void {
    const view = new DataView(new ArrayBuffer(values.length * 8));
    values.forEach((value, i) => view.setFloat64(i * 8, value, true));
    this.bytes(field, new Uint8Array(view.buffer));
  }

  /** @throws ARGUMENT_INVALID when the message is larger than 2 GiB, which no protobuf reader takes */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.#length > maxMessageBytes) {
      throw new EspalierError("ARGUMENT_INVALID", `a protobuf message of ${this.#length} bytes is over the format's limit of ${maxMessageBytes}`, {
        bytes: this.#length,
        limit: maxMessageBytes,
      });
    }
    const message = new Uint8Array(this.#length);
    let offset = 0;
    for (const chunk of this.#chunks) {
      message.set(chunk, offset);
      offset += chunk.byteLength;
    }
    return message;
  }

  #varint(value: number | bigint): void {
    this.#append(typeof value === "number" && value >= 0 && value < 128 ? Uint8Array.of(value) : varintBytes(value));
  }

  #append(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#length += bytes.byteLength;
  }
}

/** One field as it stands in the message. */
export type ProtobufField =
  | { readonly field: number; readonly wire: "varint"; readonly value: bigint }
  | { readonly field: number; readonly wire: "fixed32" | "fixed64" | "bytes"; /** A view, not a copy. */ readonly value: Uint8Array };

/**
 * The fields of a message, in their order.
 *
 * @throws DATA_MALFORMED with the offset, when the bytes end inside a field or use the abandoned group encoding
 */
export function* readProtobuf(message: Uint8Array): Generator<ProtobufField> {
  let offset = 0;
  const refuse = (what: string): never => {
    throw new EspalierError("DATA_MALFORMED", `protobuf: ${what} at byte ${offset} of ${message.byteLength}`, { offset, bytes: message.byteLength });
  };
  const take = (count: number): Uint8Array => {
    if (count > message.byteLength - offset) refuse(`a field of ${count} bytes runs over the end`);
    offset += count;
    return message.subarray(offset - count, offset);
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = take(1)[0] as number; // take refuses to run over the end
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    return refuse("a varint longer than 10 bytes");
  };
  while (offset < message.byteLength) {
    const tag = Number(varint());
    const field = Math.floor(tag / 8);
    if (field === 0) refuse("a field number 0");
    const wire = tag % 8;
    if (wire === 0) yield { field, wire: "varint", value: varint() };
    else if (wire === 1) yield { field, wire: "fixed64", value: take(8) };
    else if (wire === 2) yield { field, wire: "bytes", value: take(Number(varint())) };
    else if (wire === 5) yield { field, wire: "fixed32", value: take(4) };
    else refuse(`the wire type ${wire}`);
  }
}

/** The integers of a repeated field's one occurrence, packed or not; those beyond 2^53 lose their low bits. */
export function readInts(field: ProtobufField): number[] {
  return field.wire === "varint" ? [signed(field.value)] : readBigInts(field).map(Number);
}

/** As `readInts`, every bit kept. @throws DATA_MALFORMED when the field ends inside a number or one is longer than 10 bytes */
export function readBigInts(field: ProtobufField): bigint[] {
  if (field.wire === "varint") return [BigInt.asIntN(64, field.value)];
  const refuse = (what: string): never => {
    throw new EspalierError("DATA_MALFORMED", `protobuf: packed field ${field.field} ${what}`, { field: field.field });
  };
  const values: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of field.value) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte < 128) {
      values.push(BigInt.asIntN(64, value));
      value = 0n;
      shift = 0n;
    } else if (shift >= 70n) refuse("holds a varint longer than 10 bytes");
  }
  if (shift !== 0n) refuse("ends inside a number");
  return values;
}

/** The 64-bit floats of a repeated field's one occurrence, packed or not. */
export function readDoubles(field: ProtobufField): number[] {
  if (field.wire === "varint" || field.value.byteLength % 8 !== 0) {
    throw new EspalierError("DATA_MALFORMED", `protobuf: field ${field.field} does not hold 64-bit floats`, { field: field.field });
  }
  const view = new DataView(field.value.buffer, field.value.byteOffset, field.value.byteLength);
  return Array.from({ length: view.byteLength / 8 }, (_, i) => view.getFloat64(i * 8, true));
}

/** The 32-bit floats of a repeated field's one occurrence, packed or not. */
export function readFloats(field: ProtobufField): number[] {
  if (field.wire === "varint" || field.value.byteLength % 4 !== 0) {
    throw new EspalierError("DATA_MALFORMED", `protobuf: field ${field.field} does not hold 32-bit floats`, { field: field.field });
  }
  const view = new DataView(field.value.buffer, field.value.byteOffset, field.value.byteLength);
  return Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(i * 4, true));
}

function signed(value: bigint): number {
  return Number(BigInt.asIntN(64, value));
}

function varintBytes(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
