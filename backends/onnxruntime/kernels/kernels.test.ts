import { afterAll, beforeAll, expect, test } from "vitest";
import { GraphBuilder, Random, tensor, toNumbers, type Attribute, type Backend, type Tensor, type Tensors } from "../../../core/index.ts";
import { openReference } from "../../reference/index.ts";
import { openOnnxRuntime } from "../backend.ts";
import { importKoffi } from "../native/koffi.ts";
import { planGraph } from "../plan.ts";

const reference = openReference();
let backend: Backend;
beforeAll(async () => {
  backend = await openOnnxRuntime({ thread: "inline", threads: 1 });
});
afterAll(() => backend.dispose());

/** Without the optional package nodes go to ONNX Runtime, which the conformance suite compares. */
const isThere = await importKoffi().then(
  () => true,
  () => false,
);

interface Case {
  readonly operator: string;
  readonly shapes: readonly (readonly number[])[];
  readonly outputs: number;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Added to the first input. */
  readonly offset?: number;
}

/** More than a part's channels, and parts that end with fewer. */
const wide = [2, 9, 96, 96] as const;

const moments: readonly Case[] = [[3, 5, 2, 2], [2, 3, 20], [1, 7, 6, 6], [4, 2, 3, 4, 5], wide].map((shape) => ({
  operator: "BatchMoments",
  shapes: [shape],
  outputs: 2,
}));

const normalizations: readonly Case[] = [[3, 5, 2, 2], [2, 3, 20], [1, 7, 6, 6], wide].map((shape) => ({
  operator: "BatchNormalizationGrad",
  shapes: [shape, shape, [shape[1] ?? 0], [shape[1] ?? 0], [shape[1] ?? 0]],
  outputs: 3,
}));

const depthwise: readonly Case[] = [
  { size: [8, 8], kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], output: [8, 8] },
  { size: [8, 8], kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], output: [4, 4] },
  { size: [8, 8], kernel: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1], output: [4, 4] },
  { size: [9, 12], kernel: [5, 5], strides: [1, 1], pads: [2, 2, 2, 2], output: [9, 12] },
  { size: [7, 16], kernel: [1, 7], strides: [3, 2], pads: [0, 3, 0, 2], output: [3, 8] },
  { size: [6, 8], kernel: [3, 5], strides: [1, 1], pads: [0, 0, 0, 0], output: [4, 4] },
].map(({ size, kernel, strides, pads, output }) => ({
  operator: "ConvWeightGrad",
  shapes: [
    [3, 5, ...size],
    [3, 5, ...output],
  ],
  outputs: 1,
  attributes: { group: 5, kernel_shape: kernel, strides, pads, dilations: [1, 1] },
}));

for (const item of [...moments, ...normalizations, ...depthwise]) {
  const what = `${item.operator} of ${item.shapes.map((shape) => shape.join("x")).join(", ")} ${JSON.stringify(item.attributes ?? {})}`;
  test.skipIf(!isThere)(`our kernel of ${what} is what the reference computes, to 2e-5 of the largest value`, async () => {
    const { given, expected, calls } = await compute(item);
    expect(calls).toBe(1);
    for (const name of Object.keys(expected)) {
      const [a, b] = [toNumbers(given[name] as Tensor), toNumbers(expected[name] as Tensor)];
      const largest = Math.max(...b.map(Math.abs), 1e-3);
      expect(a).toHaveLength(b.length);
      expect(Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? Number.NaN)))) / largest).toBeLessThan(2e-5);
    }
  });
}

test.skipIf(!isThere)("a mean of a thousand deviations leaves the variance its digits", async () => {
  const { given, expected } = await compute({ operator: "BatchMoments", shapes: [[4, 3, 16, 16]], outputs: 2, offset: 1000 });
  const [a, b] = [toNumbers(given["1"] as Tensor), toNumbers(expected["1"] as Tensor)];
  a.forEach((value, i) => expect(Math.abs(value / (b[i] ?? Number.NaN) - 1)).toBeLessThan(1e-3)); // E[x^2] - E[x]^2 would be off by 0.1 and more
});

test.skipIf(!isThere)("shapes that are no whole vectors go to ONNX Runtime", async () => {
  const { given, expected, calls } = await compute({ operator: "BatchMoments", shapes: [[3, 5, 3, 3]], outputs: 2 });
  expect(calls).toBe(0);
  toNumbers(given["0"] as Tensor).forEach((value, i) => expect(value).toBeCloseTo(toNumbers(expected["0"] as Tensor)[i] ?? Number.NaN, 5));
});

interface Computed {
  readonly given: Tensors;
  readonly expected: Tensors;
  /** Nodes that kernels of our own compute. */
  readonly calls: number;
}

async function compute({ operator, shapes, outputs, attributes = {}, offset = 0 }: Case): Promise<Computed> {
  const builder = new GraphBuilder(operator);
  const inputs = shapes.map((shape, i) => builder.input(`in${i}`, "float32", shape));
  builder.ops(operator, inputs, outputs, attributes).forEach((value, i) => builder.output(`${i}`, value));
  const graph = builder.build();
  const random = new Random(11);
  const feeds = Object.fromEntries(
    shapes.map((shape, i) => {
      const values = Array.from(
        { length: shape.reduce((a, b) => a * b, 1) },
        () => random.uniform(0.1, 1) * (i < 2 && random.integer(2) === 0 ? -1 : 1),
      );
      return [`in${i}`, tensor("float32", shape, i === 0 ? values.map((value) => value + offset) : values)] as const;
    }),
  );
  const [tested, trusted] = [await backend.compile(graph), await reference.compile(graph)];
  const result = { given: await tested.run(feeds), expected: await trusted.run(feeds), calls: planGraph(graph, { kernels: true }).calls.length };
  await tested.dispose();
  await trusted.dispose();
  return result;
}
