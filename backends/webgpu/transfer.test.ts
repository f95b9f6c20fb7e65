import { expect, test } from "vitest";
import { tensor } from "../../core/index.ts";
import { fromDevice, toDevice } from "./transfer.ts";

test("every element type goes to four bytes an element and comes back as it was", () => {
  const values = [
    tensor("float32", [3], [1.5, -2, 0]),
    tensor("int32", [2], [-2147483648, 7]),
    tensor("int64", [3], [-1, 2147483647, -2147483648]),
    tensor("uint8", [2], [255, 0]),
    tensor("bool", [2], [1, 0]),
  ];
  for (const value of values) {
    const bytes = toDevice(value, "it");
    expect(bytes.byteLength).toBe(4 * value.data.length);
    expect(fromDevice(bytes.slice().buffer, value)).toEqual(value);
  }
});

test("an int64 that does not fit 32 bits is refused with its place", () => {
  expect(() => toDevice(tensor("int64", [2], [0n, 2147483648n]), 'feed "step"')).toThrow(/feed "step" holds 2147483648 at element 1/);
});

test("float16 is kept as float32, and comes back rounded", () => {
  expect(toDevice(tensor("float16", [2], [1.5, 65504]), "feed")).toEqual(Float32Array.of(1.5, 65504));
  const back = fromDevice(Float32Array.of(1 + 2 ** -11, 70000).buffer, { dtype: "float16", shape: [2] });
  expect(back).toEqual(tensor("float16", [2], [1, Infinity]));
});

test("a float64 is refused", () => {
  expect(() => toDevice(tensor("float64", [1], [1]), 'feed "x"')).toThrow(/float64/);
});
