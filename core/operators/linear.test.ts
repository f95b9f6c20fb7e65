import { expect, test } from "vitest";
import { inferred } from "./testing/infer.ts";

test.each([
  {
    inputs: [
      ["batch", 3],
      [3, 5],
    ],
    type: "float32 batch,5",
  },
  {
    inputs: [
      ["batch", 4, 3],
      [3, 5],
    ],
    type: "float32 batch,4,5",
  },
  {
    inputs: [
      ["batch", 1, 4, 3],
      [2, 3, 5],
    ],
    type: "float32 batch,2,4,5",
  },
  {
    inputs: [
      ["batch", 4, 3],
      ["batch", 3, 5],
    ],
    type: "float32 batch,4,5",
  },
  { inputs: [[3], [3, 5]], type: "float32 5" },
  { inputs: [["batch", 3], [3]], type: "float32 batch" },
  { inputs: [[3], [3]], type: "float32 " },
  {
    inputs: [
      [3, "batch"],
      ["batch", 5],
    ],
    type: "float32 3,5",
  },
] as const)("MatMul of $inputs.0 and $inputs.1 is $type", ({ inputs, type }) => {
  expect(inferred("MatMul", { inputs })).toEqual([type]);
});

test("MatMul refuses sizes that do not meet, scalars and whole numbers", () => {
  expect(() =>
    inferred("MatMul", {
      inputs: [
        ["batch", 3],
        [4, 5],
      ],
    }),
  ).toThrow(/^node \(MatMul .*\[batch, 3\] and the rows of \[4, 5\] differ: 3 is not 4/);
  expect(() =>
    inferred("MatMul", {
      inputs: [
        [3, "batch"],
        [4, 5],
      ],
    }),
  ).toThrow(/batch is not 4/);
  expect(() => inferred("MatMul", { inputs: [[], [4, 5]] })).toThrow(/scalar/);
  expect(() =>
    inferred("MatMul", {
      inputs: [
        [2, 4, 3],
        [3, 3, 5],
      ],
    }),
  ).toThrow(/do not broadcast/);
  const whole = { dtype: "int32", shape: [2, 2] } as const;
  expect(() => inferred("MatMul", { inputs: [whole, whole] })).toThrow(/not int32/);
});

test("Gemm transposes either side and broadcasts its third input", () => {
  expect(inferred("Gemm", { inputs: [["batch", 3], [5, 3], [5]], attributes: { transB: 1 } })).toEqual(["float32 batch,5"]);
  expect(
    inferred("Gemm", {
      inputs: [
        ["batch", 3],
        ["batch", 5],
      ],
      attributes: { transA: 1 },
    }),
  ).toEqual(["float32 3,5"]);
  expect(inferred("Gemm", { inputs: [["batch", 3], [3, 5], []] })).toEqual(["float32 batch,5"]);
});

test("Gemm refuses what is no matrix, sizes that do not meet, and a third input that would grow the result", () => {
  expect(() =>
    inferred("Gemm", {
      inputs: [
        ["batch", 2, 3],
        [3, 5],
      ],
    }),
  ).toThrow(/input 0 must be a matrix/);
  expect(() =>
    inferred("Gemm", {
      inputs: [
        ["batch", 3],
        [5, 3],
      ],
    }),
  ).toThrow(/3 columns do not meet 5 rows/);
  expect(() =>
    inferred("Gemm", {
      inputs: [
        [1, 3],
        [3, 5],
        [4, 5],
      ],
    }),
  ).toThrow(/\[4, 5\] does not broadcast to \[1, 5\]/);
  expect(() => inferred("Gemm", { inputs: [[2, 3], [3, 5], [4]] })).toThrow(/5 is not 4/);
});
