import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import type { WebGpuBackend } from "../../backends/webgpu/index.ts";
import { openSoftwareDawn } from "../support/dawn.ts";
import { casesOf } from "./operator-case.ts";
import { constant, f32, ints, type InputSpec, type OperatorSpec } from "./operator-spec.ts";

// Paths that small cases do not reach: tiles with ragged edges, sums in parts, lines that a workgroup shares, more inputs than a kernel binds.
const reference = openReference();
const backends = new Map<string, WebGpuBackend>();

beforeAll(async () => {
  backends.set("direct", await openSoftwareDawn({ tiles: false }));
  backends.set("tiled", await openSoftwareDawn({ tiles: true }));
});

afterAll(async () => {
  for (const backend of backends.values()) await backend.dispose();
});

const products: readonly OperatorSpec[] = [
  { about: "ragged tiles", operator: "MatMul", inputs: [f32([70, 35]), f32([35, 66])] },
  { about: "small tiles", operator: "MatMul", inputs: [f32([20, 17]), f32([17, 5])] },
  { about: "batched and broadcast", operator: "MatMul", inputs: [f32(["batch", 1, 18, 40]), f32([2, 40, 34])] },
  { about: "a long sum in parts", operator: "MatMul", inputs: [f32([5, 2000]), f32([2000, 7])] },
  { about: "a long sum in parts of a batch", operator: "MatMul", inputs: [f32([2, 3, 1100]), f32([2, 1100, 4])] },
  {
    about: "both transposed, with a bias",
    operator: "Gemm",
    inputs: [f32([600, 40]), f32([33, 600]), f32([33])],
    attributes: { transA: 1, transB: 1, alpha: 0.5, beta: 2 },
  },
  { about: "wide image", operator: "Conv", inputs: [f32(["batch", 5, 13, 11]), f32([34, 5, 3, 3]), f32([34])], attributes: { pads: [1, 1, 1, 1] } },
  {
    about: "groups and strides",
    operator: "Conv",
    inputs: [f32(["batch", 6, 12, 9]), f32([9, 2, 3, 2])],
    attributes: { group: 3, strides: [2, 3], dilations: [2, 1] },
  },
];

const lines: readonly OperatorSpec[] = [
  { about: "a very long line", operator: "ReduceSum", inputs: [f32([3, 1500]), ints(1)] },
  { about: "a long line", operator: "ReduceSum", inputs: [f32(["batch", 700]), ints(1)], attributes: { keepdims: 0 } },
  { about: "all of many", operator: "ReduceMean", inputs: [f32(["batch", 9, 40])], attributes: { keepdims: 0 } },
  { about: "outer axes", operator: "ReduceMax", inputs: [f32([20, 3, 11], "distinct"), ints(0, 2)] },
  { about: "outer axes", operator: "ReduceMin", inputs: [f32([200, 3], "distinct"), ints(0)] },
  { about: "many classes", operator: "Softmax", inputs: [f32(["batch", 300])] },
  { about: "many classes, inner axis", operator: "LogSoftmax", inputs: [f32(["batch", 150, 4])], attributes: { axis: 1 } },
  {
    about: "many classes",
    operator: "SoftmaxCrossEntropyLoss",
    inputs: [f32(["batch", 200]), { dtype: "int32", shape: ["batch"], draw: { integers: [0, 200] } }],
    outputs: 2,
  },
  {
    about: "many items with weights",
    operator: "SoftmaxCrossEntropyLoss",
    inputs: [
      f32(["batch", 3, 150]),
      { dtype: "int64", shape: ["batch", 150], draw: { integers: [0, 3] } },
      { ...constant(1), shape: [3], draw: { values: [1, 2, 0.5] } },
    ],
  },
  { about: "more inputs than a kernel binds", operator: "Concat", inputs: many(40, (i) => f32(["batch", 1 + (i % 3)])), attributes: { axis: 1 } },
  { about: "more inputs than a kernel binds", operator: "Max", inputs: many(30, () => f32(["batch", 4], "distinct")) },
  { about: "more elements than one row of workgroups", operator: "Neg", inputs: [f32([65_535 * 64 + 3], "ties")], gradients: [] },
];

describe.each(["direct", "tiled"])("products, %s", (variant) => {
  test.each(products.flatMap(casesOf))("$name", async ({ run }) => {
    await expect(run(backends.get(variant)!, reference)).resolves.toBeUndefined();
  });
});

describe.each(["direct", "tiled"])("long lines and many inputs, %s", (variant) => {
  test.each(lines.flatMap(casesOf))("$name", async ({ run }) => {
    await expect(run(backends.get(variant)!, reference)).resolves.toBeUndefined();
  });
});

test("all of that left no buffer on a device", () => {
  for (const backend of backends.values()) expect(backend.liveBuffers).toBe(0);
});

function many(count: number, input: (index: number) => InputSpec): readonly InputSpec[] {
  return Array.from({ length: count }, (_, i) => input(i));
}
