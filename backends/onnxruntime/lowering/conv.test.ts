import { afterAll, expect, test } from "vitest";
import { GraphBuilder, Random, tensor, toNumbers, type Backend, type Graph, type Tensor, type Tensors } from "../../../core/index.ts";
import { openReference } from "../../reference/index.ts";
import { openOnnxRuntime } from "../backend.ts";
import { planGraph } from "../plan.ts";
import { hasOwnKernels } from "../testing/own-kernels.ts";

const reference = openReference();
const backend = await openOnnxRuntime({ thread: "inline", threads: 1 });
afterAll(() => backend.dispose());

interface Case {
  readonly images?: number;
  readonly channels?: number;
  readonly units?: number;
  readonly size: readonly [number, number];
  readonly pads?: readonly number[];
  readonly stride?: number;
  readonly bias?: boolean;
}

/** V, U, y, Z, dX, V again, dW of 3x3 with stride 1. */
const winograd: readonly Case[] = [
  { channels: 16, units: 16, size: [8, 8] },
  { images: 3, size: [4, 4] },
  { images: 2, channels: 32, units: 16, size: [5, 7] },
  { channels: 16, units: 32, size: [9, 6], pads: [0, 1, 1, 0] },
  { images: 2, channels: 20, units: 36, size: [12, 11] },
  { channels: 32, units: 32, size: [10, 14], pads: [0, 0, 0, 0] },
  { channels: 24, units: 28, size: [7, 5], pads: [2, 1, 0, 2], bias: true },
  { images: 5, size: [6, 4], pads: [1, 1, 1, 1] },
  { channels: 64, size: [34, 33] }, // rows of tiles in several parts
];

/** The weights by places, dX, x unfolded, dY as rows, dW of 3x3 with a stride. */
const unfolded: readonly Case[] = [
  { images: 2, size: [8, 8], stride: 2 },
  { size: [9, 8], stride: 2, pads: [0, 0, 1, 1] },
  { images: 3, channels: 132, units: 40, size: [11, 13], stride: 2, pads: [1, 0, 2, 1] },
  { size: [14, 16], stride: 3, pads: [0, 0, 0, 0] },
  { size: [16, 18], stride: 4 },
  { size: [31, 60], stride: 2 }, // in several parts
];

for (const item of [...winograd, ...unfolded]) {
  const { graph, feeds, state } = problem(item);
  test.skipIf(!hasOwnKernels)(
    `${graph.name}: values and both gradients by our kernels are the reference's, to 1e-5 of the largest value`,
    async () => {
      const [given, expected] = [await run(backend, graph, { feeds, state }), await run(reference, graph, { feeds, state })];
      expect(planGraph(graph, { kernels: true }).calls).toHaveLength(item.stride === undefined ? 7 : 5);
      for (const name of ["y", "dx", "dw"]) expect(distance(given[name], expected[name])).toBeLessThan(1e-5);
    },
  );
}

test.skipIf(!hasOwnKernels)("two threads compute what one does", async () => {
  const pair = await openOnnxRuntime({ thread: "inline", threads: 2, leastSharedBytes: 1 });
  try {
    for (const item of [
      { images: 3, channels: 64, size: [34, 33] },
      { images: 9, channels: 128, size: [15, 18], stride: 2 },
    ] as const) {
      const { graph, feeds, state } = problem(item);
      const [one, two] = [await run(backend, graph, { feeds, state }), await run(pair, graph, { feeds, state })];
      for (const name of ["y", "dx", "dw"]) expect(distance(two[name], one[name])).toBeLessThan(1e-6);
    }
  } finally {
    await pair.dispose();
  }
});

test.skipIf(!hasOwnKernels)("a graph without updates, whose weights ONNX Runtime prepares once, keeps its convolution", () => {
  const { graph } = problem({ size: [8, 8] });
  const nodes = graph.nodes.filter(({ operator }) => operator === "Conv");
  const inference = { ...graph, nodes, updates: {}, outputs: { y: nodes[0]?.outputs[0] ?? "" } };
  expect(planGraph(inference, { kernels: true }).calls).toHaveLength(0);
});

interface Problem {
  readonly graph: Graph;
  readonly feeds: Tensors;
  readonly state: Tensors;
}

/** A convolution and both gradients, with state as its weights, which the graph updates. */
function problem({ images = 1, channels = 128, units = 64, size, stride = 1, pads = [1, 1, 1, 1], bias = false }: Case): Problem {
  const [top = 0, left = 0, bottom = 0, right = 0] = pads;
  const output = [size[0] + top + bottom, size[1] + left + right].map((length) => Math.floor((length - 3) / stride) + 1);
  const shapes = { x: [images, channels, ...size], dy: [images, units, ...output], w: [units, channels, 3, 3], b: [units] };
  const builder = new GraphBuilder(`convolution of ${shapes.x.join("x")} to ${shapes.dy.join("x")} with stride ${stride} and pads ${pads.join(" ")}`);
  const [x, dy, w] = [builder.input("x", "float32", shapes.x), builder.input("dy", "float32", shapes.dy), builder.state("w", "float32", shapes.w)];
  const b = bias ? [builder.input("b", "float32", shapes.b)] : [];
  const attributes = { pads, strides: [stride, stride], dilations: [1, 1], group: 1, kernel_shape: [3, 3] };
  builder.output("y", builder.op("Conv", [x, w, ...b], attributes));
  const { kernel_shape: _, ...window } = attributes;
  builder.output("dx", builder.op("ConvInputGrad", [dy, w], { ...window, input_spatial: size }));
  const dw = builder.op("ConvWeightGrad", [x, dy], attributes);
  builder.output("dw", dw);
  builder.update("w", dw);
  const random = new Random(7);
  const values = (shape: readonly number[]): Tensor => {
    const length = shape.reduce((product, dimension) => product * dimension, 1);
    return tensor(
      "float32",
      shape,
      Array.from({ length }, () => random.uniform(-1, 1)),
    );
  };
  const feeds = { x: values(shapes.x), dy: values(shapes.dy), ...(bias && { b: values(shapes.b) }) };
  return { graph: builder.build(), feeds, state: { w: values(shapes.w) } };
}

async function run(on: Backend, graph: Graph, { feeds, state }: Omit<Problem, "graph">): Promise<Tensors> {
  const executable = await on.compile(graph, { state });
  try {
    return await executable.run(feeds);
  } finally {
    await executable.dispose();
  }
}

function distance(given: Tensor | undefined, expected: Tensor | undefined): number {
  const [a, b] = [given, expected].map((value) => (value === undefined ? [] : toNumbers(value))) as [number[], number[]];
  expect(a).toHaveLength(b.length);
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? Number.NaN)))) / Math.max(...b.map(Math.abs));
}
