import { expect, test } from "vitest";
import { toNumbers } from "../tensor.ts";
import { readTensor } from "./onnx-tensor.ts";
import { ProtobufWriter, readProtobuf, type ProtobufField } from "./protobuf.ts";

const bits = [0x3c00, 0xc100, 0x7bff, 0x0001, 0x7c00]; // IEEE 754 binary16
const numbers = [1, -2.5, 65504, 2 ** -24, Infinity];

test("float16 that is listed as int32_data is read by its bits, as onnx.proto says", () => {
  const writer = tensorOf(bits.length);
  for (const value of bits) writer.int(5, value);
  const { value } = readTensor(field(writer));
  expect(value).toMatchObject({ dtype: "float16", shape: [5] });
  expect(toNumbers(value)).toEqual(numbers);
});

test("raw float16 is two bytes an element", () => {
  const writer = tensorOf(bits.length);
  writer.bytes(9, new Uint8Array(Uint16Array.from(bits).buffer));
  expect(toNumbers(readTensor(field(writer)).value)).toEqual(numbers);
  const short = tensorOf(bits.length);
  short.bytes(9, new Uint8Array(9));
  expect(() => readTensor(field(short))).toThrow(/float16 \[5\], takes 10 bytes, but 9 are there/);
});

/** A TensorProto of float16 with its name, type and one size. */
function tensorOf(length: number): ProtobufWriter {
  const writer = new ProtobufWriter();
  writer.int(1, length);
  writer.int(2, 10);
  writer.bytes(8, new TextEncoder().encode("w"));
  return writer;
}

function field(content: ProtobufWriter): ProtobufField {
  const outer = new ProtobufWriter();
  outer.bytes(1, content.finish());
  const [first] = readProtobuf(outer.finish());
  if (first === undefined) throw new Error("a field was written");
  return first;
}
