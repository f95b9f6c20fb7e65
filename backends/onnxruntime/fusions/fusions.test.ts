import { afterAll, expect, test } from "vitest";
import { differentiate, GraphBuilder, Random, tensor, toNumbers, type Graph, type Tensor, type Value } from "../../../core/index.ts";
import { openReference } from "../../reference/index.ts";
import { openOnnxRuntime } from "../backend.ts";
import { planGraph } from "../plan.ts";
import { hasOwnKernels } from "../testing/own-kernels.ts";

const reference = openReference();
const backend = await openOnnxRuntime({ thread: "inline", threads: 1 });
afterAll(() => backend.dispose());

type Activation = (builder: GraphBuilder, x: Value) => Value;

const relu: Activation = (builder, x) => builder.op("Relu", [x]);
const between =
  (low: number | undefined, high: number | undefined): Activation =>
  (builder, x) =>
    builder.op("Clip", [
      x,
      low === undefined ? undefined : builder.scalar(low, "float32"),
      high === undefined ? undefined : builder.scalar(high, "float32"),
    ]);

const activations: Readonly<Record<string, Activation>> = {
  Relu: relu,
  "Clip from 0 to 0.5": between(0, 0.5),
  "Clip from -0.2": between(-0.2, undefined),
  "Clip up to 0.3": between(undefined, 0.3),
};

for (const [name, activation] of Object.entries(activations)) {
  for (const shape of [
    [3, 5, 4, 4],
    [2, 3, 20],
    [2, 9, 96, 96],
  ]) {
    test.skipIf(!hasOwnKernels)(
      `normalisation of ${shape.join("x")} by the batch with ${name} and its gradients are two kernels after the statistics`,
      async () => {
        const graph = normalized(shape, activation);
        await expectAsReference(graph);
        const { model, calls } = planGraph(graph, { kernels: true });
        expect(calls).toHaveLength(3);
        expect(model?.nodes.map(({ operator }) => operator)).not.toEqual(expect.arrayContaining(["BatchNormalization"]));
        expect(model?.nodes.map(({ operator }) => operator)).not.toEqual(expect.arrayContaining([name.split(" ")[0]]));
      },
    );
  }
}

test.skipIf(!hasOwnKernels)("a normalised value that others read too is written, and a gradient that others read is masked for them", async () => {
  const graph = normalized([2, 3, 4, 4], relu, (builder, normal) => builder.output("normal", normal));
  await expectAsReference(graph);
  expect(planGraph(graph, { kernels: true }).model?.nodes.map(({ operator }) => operator)).toContain("Relu");
});

test.skipIf(!hasOwnKernels)("pooling what Relu gave has one kernel for both gradients", async () => {
  const builder = new GraphBuilder("pooled");
  const x = builder.input("x", "float32", [3, 5, 10, 14]);
  const y = builder.op("MaxPool", [builder.op("Relu", [x])], { kernel_shape: [2, 2], strides: [2, 2] });
  const met = builder.op("Mul", [y, builder.input("g", "float32", [3, 5, 5, 7])]);
  const [gradient] = differentiate(builder, builder.op("ReduceSum", [met], { keepdims: 0 }), [x]);
  if (gradient === undefined) throw new Error("a gradient was asked for");
  builder.output("gradient", gradient);
  const graph = builder.build();
  await expectAsReference(graph);
  const { model, calls } = planGraph(graph, { kernels: true });
  expect(calls).toHaveLength(1);
  expect(model?.nodes.map(({ operator }) => operator)).not.toContain("Greater");
});

for (const { size, strides } of [
  { size: [8, 8], strides: [1, 1] },
  { size: [16, 12], strides: [2, 2] },
  { size: [4, 4], strides: [2, 2] },
]) {
  test.skipIf(!hasOwnKernels)(
    `a depthwise convolution of ${size.join("x")} by ${strides.join("x")} normalises what it reads, forward and backward`,
    async () => {
      const graph = depthwiseBlock(size, strides, 5);
      await expectAsReference(graph);
      const { model, calls } = planGraph(graph, { kernels: true });
      // Statistics of X; the convolution with those of its result; the activation that is read; backward, both normalisations and both gradients.
      expect(calls).toHaveLength(7);
      expect(model?.nodes.map(({ operator }) => operator)).not.toEqual(expect.arrayContaining(["Clip"]));
    },
  );
}

test.skipIf(!hasOwnKernels)(
  "planes whose elements are no whole vectors are normalised by ONNX Runtime before and after their convolution",
  async () => {
    const graph = depthwiseBlock([7, 5], [1, 1], 3);
    await expectAsReference(graph);
    expect(planGraph(graph, { kernels: true }).model?.nodes.map(({ operator }) => operator)).toContain("BatchNormalization");
  },
);

for (const [name, activation] of Object.entries(activations)) {
  test.skipIf(!hasOwnKernels)(`the gradient of ${name} after a residual is one kernel with the sum of what arrives`, async () => {
    const builder = new GraphBuilder("residual");
    const shape = [2, 64, 48, 48];
    const [a, b] = [builder.input("a", "float32", shape), builder.input("b", "float32", shape)];
    const y = activation(builder, builder.op("Add", [a, b]));
    const parts = ["g", "h"].map((gradient) => builder.op("Mul", [y, builder.input(gradient, "float32", shape)]));
    const sums = parts.map((part) => builder.op("ReduceSum", [part], { keepdims: 0 }));
    const loss = sums.reduce((first, second) => builder.op("Add", [first, second]));
    differentiate(builder, loss, [a, b]).forEach((gradient, i) => builder.output(`gradient ${i}`, gradient));
    const graph = builder.build();
    await expectAsReference(graph);
    const { model, calls } = planGraph(graph, { kernels: true });
    expect(calls).toHaveLength(1);
    expect(model?.nodes.map(({ operator }) => operator)).not.toContain("Cast");
  });
}

test.skipIf(!hasOwnKernels)("where Relu let nothing pass, NaN included, an infinite gradient ends", async () => {
  const builder = new GraphBuilder("infinite");
  const shape = [1, 2 ** 18];
  const [x, g] = [builder.input("x", "float32", shape), builder.input("g", "float32", shape)];
  const loss = builder.op("ReduceSum", [builder.op("Mul", [builder.op("Relu", [x]), g])], { keepdims: 0 });
  const [gradient] = differentiate(builder, loss, [x]);
  if (gradient === undefined) throw new Error("a gradient was asked for");
  builder.output("gradient", gradient);
  const graph = builder.build();
  expect(planGraph(graph, { kernels: true }).calls).toHaveLength(1);
  const cases = [
    { x: -1, g: Infinity, dx: 0 },
    { x: 0, g: Number.NaN, dx: 0 },
    { x: Number.NaN, g: 3, dx: 0 },
    { x: 2, g: 5, dx: 5 },
    { x: 2, g: -Infinity, dx: -Infinity },
  ] as const;
  const values = (name: "x" | "g" | "dx"): number[] => Array.from({ length: 2 ** 18 }, (_, i) => cases[i % cases.length]?.[name] ?? 0);
  const executable = await backend.compile(graph);
  const given = await executable.run({ x: tensor("float32", shape, values("x")), g: tensor("float32", shape, values("g")) });
  expect(toNumbers(given["gradient"] as Tensor).slice(0, 1000)).toEqual(values("dx").slice(0, 1000));
  await executable.dispose();
});

test.skipIf(!hasOwnKernels)("a row that makes a column of products wider is added by ONNX Runtime before heads are split", async () => {
  const builder = new GraphBuilder("broadcast");
  const product = builder.op("MatMul", [builder.input("x", "float32", [2, 6, 5]), builder.input("w", "float32", [5, 1])]);
  const rows = builder.op("Add", [product, builder.input("b", "float32", [8])]);
  builder.output("y", builder.op("Transpose", [builder.op("Reshape", [rows, builder.ints([2, 6, 2, 4])])], { perm: [0, 2, 1, 3] }));
  const graph = builder.build();
  await expectAsReference(graph);
  expect(planGraph(graph, { kernels: true }).calls).toHaveLength(0);
});

test.skipIf(!hasOwnKernels)("a normalisation over two axes with a bias for the last one alone keeps its gradients apart", async () => {
  const builder = new GraphBuilder("axes");
  const [x, scale, bias] = [builder.input("x", "float32", [6, 3, 8]), builder.input("s", "float32", [3, 8]), builder.input("o", "float32", [8])];
  const h = builder.op("Add", [x, builder.input("b", "float32", [8])]);
  const [normal] = builder.ops("LayerNormalization", [h, scale, bias], 3, { axis: 1 });
  const y = builder.op("Mul", [builder.op("Add", [h, normal]), builder.input("g", "float32", [6, 3, 8])]);
  const loss = builder.op("ReduceSum", [y], { keepdims: 0 });
  differentiate(builder, loss, [x, scale, bias]).forEach((gradient, i) => builder.output(`gradient ${i}`, gradient));
  const graph = builder.build();
  await expectAsReference(graph);
  expect(planGraph(graph, { kernels: true }).calls).toHaveLength(1); // the gradient alone
});

/** BatchNormalization, Clip, depthwise convolution and both again, without the second convolution; its gradients. */
function depthwiseBlock(size: readonly number[], strides: readonly number[], channels: number): Graph {
  const builder = new GraphBuilder("block");
  const x = builder.input("x", "float32", [3, channels, ...size]);
  const perChannel = (name: string): Value => builder.input(name, "float32", [channels]);
  const normalize = (value: Value, name: string): Value => {
    const inputs = [value, perChannel(`${name} scale`), perChannel(`${name} bias`), perChannel(`${name} mean`), perChannel(`${name} variance`)];
    const [normal] = builder.ops("BatchNormalization", inputs, 3, { epsilon: 1e-3, training_mode: 1 });
    return between(0, 0.5)(builder, normal ?? value);
  };
  const weights = builder.input("weights", "float32", [channels, 1, 3, 3]);
  const first = normalize(x, "first");
  const convolved = builder.op("Conv", [first, weights], { group: channels, strides, pads: [1, 1, 1, 1] });
  const y = normalize(convolved, "second");
  const met = builder.op("Mul", [y, builder.input("g", "float32", y.shape)]);
  builder.output("y", y);
  const by = [x, weights];
  differentiate(builder, builder.op("ReduceSum", [met], { keepdims: 0 }), by).forEach((gradient, i) => builder.output(`gradient ${i}`, gradient));
  return builder.build();
}

/** Training's BatchNormalization, an activation, and the gradients by X, scale and B. */
function normalized(shape: readonly number[], activation: Activation, more: (builder: GraphBuilder, normal: Value) => void = () => undefined): Graph {
  const builder = new GraphBuilder("normalized");
  const channels = shape.slice(1, 2);
  const x = builder.input("x", "float32", shape);
  const [scale, bias] = [builder.input("scale", "float32", channels), builder.input("bias", "float32", channels)];
  const [mean, variance] = [builder.input("mean", "float32", channels), builder.input("variance", "float32", channels)];
  const [normal] = builder.ops("BatchNormalization", [x, scale, bias, mean, variance], 3, { epsilon: 1e-3, training_mode: 1 });
  if (normal === undefined) throw new Error("BatchNormalization has outputs");
  const y = activation(builder, normal);
  const met = builder.op("Mul", [y, builder.input("g", "float32", shape)]);
  const loss = builder.op("ReduceSum", [met], { keepdims: 0 });
  builder.output("y", y);
  differentiate(builder, loss, [x, scale, bias]).forEach((gradient, i) => builder.output(`gradient ${i}`, gradient));
  more(builder, normal);
  return builder.build();
}

async function expectAsReference(graph: Graph): Promise<void> {
  const random = new Random(5);
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, shape }) => {
      const size = shape.reduce<number>((a, b) => a * Number(b), 1);
      return [
        name,
        tensor(
          "float32",
          shape.map(Number),
          Array.from({ length: size }, () => random.uniform(name.endsWith("variance") ? 0.5 : -1, 1)),
        ),
      ] as const;
    }),
  );
  const [tested, trusted] = [await backend.compile(graph), await reference.compile(graph)];
  const [given, expected] = [await tested.run(feeds), await trusted.run(feeds)];
  for (const name of Object.keys(expected)) {
    const [a, b] = [toNumbers(given[name] as Tensor), toNumbers(expected[name] as Tensor)];
    const largest = Math.max(...b.map(Math.abs), 1e-3);
    expect(a).toHaveLength(b.length);
    expect(Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? Number.NaN)))) / largest).toBeLessThan(3e-5);
  }
  await tested.dispose();
  await trusted.dispose();
}
