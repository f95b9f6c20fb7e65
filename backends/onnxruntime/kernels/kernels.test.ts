import { afterAll, expect, test } from "vitest";
import { GraphBuilder, Random, tensor, toNumbers, type Attribute, type Tensor, type Tensors } from "../../../core/index.ts";
import { openReference } from "../../reference/index.ts";
import { openOnnxRuntime } from "../backend.ts";
import { planGraph } from "../plan.ts";
import { hasOwnKernels } from "../testing/own-kernels.ts";

const reference = openReference();
const backend = await openOnnxRuntime({ thread: "inline", threads: 1 });
const helped = await openOnnxRuntime({ thread: "inline", threads: 3, leastSharedBytes: 1 });
afterAll(async () => {
  await backend.dispose();
  await helped.dispose();
});

interface Case {
  readonly operator: string;
  readonly shapes: readonly (readonly number[])[];
  readonly outputs: number;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Added to the first input. */
  readonly offset?: number;
  /** How many values from 0 to 1 there are in the first input; any number by default. */
  readonly steps?: number;
}

/** More than a part's channels, and parts that end with fewer. */
const wide = [4, 9, 96, 96] as const;

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
  { size: [200, 120], kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], output: [200, 120] },
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

/** Sizes below a vector, of whole and of no whole vectors; blocks of rows with and without a rest; padding up to the kernel's reach. */
const windows: readonly { readonly size: Pair; readonly kernel: Pair; readonly window?: Readonly<Record<string, readonly number[]>> }[] = [
  { size: [8, 8], kernel: [3, 3], window: { pads: [1, 1, 1, 1] } },
  { size: [4, 4], kernel: [3, 3], window: { pads: [1, 1, 1, 1] } },
  { size: [1, 1], kernel: [3, 3], window: { pads: [1, 1, 1, 1] } },
  { size: [2, 2], kernel: [3, 3], window: { pads: [1, 1, 1, 1] } },
  { size: [3, 3], kernel: [3, 3], window: { pads: [1, 1, 1, 1] } },
  { size: [7, 7], kernel: [5, 5], window: { pads: [2, 2, 2, 2] } },
  { size: [19, 14], kernel: [3, 3], window: { pads: [1, 1, 1, 1] } },
  { size: [9, 21], kernel: [7, 3], window: { pads: [0, 2, 1, 0] } },
  { size: [6, 9], kernel: [2, 4], window: { pads: [0, 0, 0, 0] } },
  { size: [13, 11], kernel: [3, 3], window: { pads: [2, 2, 2, 2], dilations: [2, 2] } },
  { size: [32, 32], kernel: [3, 3], window: { pads: [1, 1, 1, 1], strides: [2, 2] } },
  { size: [4, 4], kernel: [3, 3], window: { pads: [1, 1, 1, 1], strides: [2, 2] } },
  { size: [15, 15], kernel: [3, 3], window: { pads: [1, 1, 1, 1], strides: [2, 2] } },
  { size: [14, 14], kernel: [5, 5], window: { pads: [1, 1, 2, 2], strides: [2, 2] } },
  { size: [11, 13], kernel: [3, 3], window: { pads: [0, 1, 2, 0], strides: [3, 2] } },
  { size: [12, 17], kernel: [4, 2], window: { pads: [1, 0, 0, 1], strides: [3, 1], dilations: [2, 3] } },
  { size: [8, 8], kernel: [1, 1], window: { strides: [2, 2] } },
  { size: [5, 75], kernel: [3, 3], window: { pads: [1, 1, 1, 1] } },
];
const convolutions: readonly Case[] = windows.flatMap(({ size, kernel, window = {} }, i) => {
  const channels = i === 1 ? 70 : 5; // more planes than are worked on at a time
  const spatial = outputSize(size, { kernel, window });
  const attributes = { group: channels, strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], ...window };
  const weights = [channels, 1, ...kernel];
  const forward: Case = {
    operator: "Conv",
    shapes: [[3, channels, ...size], weights, ...(i % 2 === 0 ? [[channels]] : [])],
    outputs: 1,
    attributes: { ...attributes, kernel_shape: kernel },
  };
  const backward: Case = {
    operator: "ConvInputGrad",
    shapes: [[3, channels, ...spatial], weights],
    outputs: 1,
    attributes: { ...attributes, input_spatial: size },
  };
  const byWeights: Case = {
    operator: "ConvWeightGrad",
    shapes: [
      [3, channels, ...size],
      [3, channels, ...spatial],
    ],
    outputs: 1,
    attributes: { ...attributes, kernel_shape: kernel },
  };
  const [inputs, units] = [2 * (1 + (i % 3)), 2 * (1 + (i % 4))];
  const grouped: Case = {
    operator: "ConvWeightGrad",
    shapes: [
      [3, inputs, ...size],
      [3, units, ...spatial],
    ],
    outputs: 1,
    attributes: { ...attributes, kernel_shape: kernel, group: 1 + (i % 2) },
  };
  return [forward, backward, byWeights, grouped];
});

type Pair = readonly [number, number];

function outputSize(size: Pair, { kernel, window }: { readonly kernel: Pair; readonly window: Readonly<Record<string, readonly number[]>> }): Pair {
  const { pads = [0, 0, 0, 0], strides = [1, 1], dilations = [1, 1] } = window;
  const along = (axis: 0 | 1): number => {
    const room = size[axis] + (pads[axis] ?? 0) + (pads[axis + 2] ?? 0) - (kernel[axis] - 1) * (dilations[axis] ?? 1) - 1;
    return Math.floor(room / (strides[axis] ?? 1)) + 1;
  };
  return [along(0), along(1)];
}

/** Windows that fill the input or leave something over, rows of whole vectors, of overlapping ones and of less than one; values that are often equal. */
const pools: readonly Case[] = [
  { size: [8, 8], kernel: [2, 2], output: [4, 4] },
  { size: [28, 28], kernel: [2, 2], output: [14, 14] },
  { size: [7, 11], kernel: [2, 2], output: [3, 5] },
  { size: [10, 10], kernel: [2, 2], output: [5, 5] },
  { size: [2, 2], kernel: [2, 2], output: [1, 1] },
  { size: [5, 4], kernel: [2, 2], output: [2, 2] },
  { size: [3, 7], kernel: [1, 2], output: [3, 3] },
  { size: [11, 13], kernel: [3, 2], output: [3, 6] },
  { size: [9, 10], kernel: [3, 5], output: [3, 3], window: { strides: [3, 2] } },
  { size: [12, 16], kernel: [3, 3], output: [6, 8], window: { strides: [2, 2], pads: [1, 1, 1, 1] } },
  { size: [9, 7], kernel: [3, 3], output: [5, 4], window: { strides: [2, 2], pads: [1, 1, 1, 1] } },
  { size: [8, 9], kernel: [3, 3], output: [6, 7], window: { strides: [1, 1] } },
  { size: [8, 21], kernel: [2, 3], output: [4, 21], window: { strides: [2, 1], pads: [0, 1, 0, 1] } },
  { size: [3, 3], kernel: [2, 2], output: [2, 2], window: { strides: [2, 2], ceil_mode: 1 } },
  { size: [10, 11], kernel: [2, 3], output: [5, 4], window: { strides: [2, 2], dilations: [2, 2], pads: [1, 0, 1, 1] } },
  { size: [6, 2], kernel: [3, 3], output: [3, 1], window: { strides: [2, 2], pads: [1, 1, 1, 1] } },
].map(({ size, kernel, output, window = {} }) => ({
  operator: "MaxPoolGrad",
  shapes: [size, output, output].map(([height = 0, width = 0]) => [3, 70, height, width]),
  outputs: 1,
  attributes: { kernel_shape: kernel, strides: kernel, ...window },
  steps: 4,
}));

for (const item of [...moments, ...normalizations, ...depthwise, ...convolutions, ...pools]) {
  const what = `${item.operator} of ${item.shapes.map((shape) => shape.join("x")).join(", ")} ${JSON.stringify(item.attributes ?? {})}`;
  test.skipIf(!hasOwnKernels)(`our kernel of ${what} is what the reference computes, to 2e-5 of the largest value`, async () => {
    const { given, inThreads, expected, calls } = await compute(item);
    expect(calls).toBe(1);
    for (const name of Object.keys(expected)) {
      const b = toNumbers(expected[name] as Tensor);
      const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
      for (const computed of [given, inThreads]) {
        const a = toNumbers(computed[name] as Tensor);
        expect(a).toHaveLength(b.length);
        expect(a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0) / largest).toBeLessThan(2e-5);
      }
    }
  });
}

test.skipIf(!hasOwnKernels)("a mean of a thousand deviations leaves the variance its digits", async () => {
  const { given, expected } = await compute({ operator: "BatchMoments", shapes: [[4, 3, 16, 16]], outputs: 2, offset: 1000 });
  const [a, b] = [toNumbers(given["1"] as Tensor), toNumbers(expected["1"] as Tensor)];
  a.forEach((value, i) => expect(Math.abs(value / (b[i] ?? Number.NaN) - 1)).toBeLessThan(1e-3)); // E[x^2] - E[x]^2 would be off by 0.1 and more
});

test.skipIf(!hasOwnKernels)("shapes that are no whole vectors go to ONNX Runtime", async () => {
  const { given, expected, calls } = await compute({ operator: "BatchMoments", shapes: [[3, 5, 3, 3]], outputs: 2 });
  expect(calls).toBe(0);
  toNumbers(given["0"] as Tensor).forEach((value, i) => expect(value).toBeCloseTo(toNumbers(expected["0"] as Tensor)[i] ?? Number.NaN, 5));
});

test.skipIf(!hasOwnKernels)("a depthwise convolution whose weights nobody trains is ONNX Runtime's", () => {
  const builder = new GraphBuilder("fixed");
  const x = builder.input("x", "float32", [1, 2, 4, 4]);
  const weights = builder.constant(tensor("float32", [2, 1, 1, 1], [2, 3]));
  builder.output("y", builder.op("Conv", [x, weights], { group: 2 }));
  expect(planGraph(builder.build(), { kernels: true }).calls).toHaveLength(0);
});

test.skipIf(!hasOwnKernels)("padding wider than a depthwise kernel's reach leaves its gradient to ONNX Runtime", async () => {
  const attributes = { group: 2, strides: [1, 1], dilations: [1, 1], pads: [3, 3, 3, 3], input_spatial: [4, 4] };
  const shapes = [
    [1, 2, 8, 8],
    [2, 1, 3, 3],
  ];
  const { given, expected, calls } = await compute({ operator: "ConvInputGrad", shapes, outputs: 1, attributes });
  expect(calls).toBe(0);
  toNumbers(given["0"] as Tensor).forEach((value, i) => expect(value).toBeCloseTo(toNumbers(expected["0"] as Tensor)[i] ?? Number.NaN, 5));
});

interface Computed {
  readonly given: Tensors;
  /** The same with three threads. */
  readonly inThreads: Tensors;
  readonly expected: Tensors;
  /** Nodes that kernels of our own compute. */
  readonly calls: number;
}

async function compute({ operator, shapes, outputs, attributes = {}, offset = 0, steps }: Case): Promise<Computed> {
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
      const first = (value: number): number => (steps === undefined ? value : Math.round(value * steps) / steps) + offset;
      return [`in${i}`, tensor("float32", shape, i === 0 ? values.map(first) : values)] as const;
    }),
  );
  const [given, inThreads, expected] = await Promise.all(
    [backend, helped, reference].map(async (one) => {
      const executable = await one.compile(graph);
      await executable.run(feeds); // what is computed does not depend on what was in memory
      const outputs = await executable.run(feeds);
      await executable.dispose();
      return outputs;
    }),
  );
  if (!given || !inThreads || !expected) throw new Error("three backends computed");
  return { given, inThreads, expected, calls: planGraph(graph, { kernels: true }).calls.length };
}
