import { afterAll, beforeAll, expect, test } from "vitest";
import { openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import {
  createTrainingGraph,
  elementCount,
  meanSquaredError,
  Random,
  randomFeeds,
  scalar,
  sgd,
  tensor,
  toNumbers,
  type Backend,
  type Dimension,
  type DType,
  type Model,
  type Precision,
  type Tensor,
  type Tensors,
} from "../../core/index.ts";
import { exportedModels } from "./exported-models.ts";

// One step of every ready network and of every layer as Keras writes it, in float32 and in mixed precision.
const rows = 4;
const models = [...(await exportedModels())].filter(([, { graph }]) => graph.state.some(({ role }) => role === "parameter") && floatOutput(graph));

/** How alike the two updates have to be, as the cosine between them. */
const likeness = 0.999;
const looser: Readonly<Record<string, readonly [cosine: number, reason: string]>> = {
  "ResNet-18": [0.97, "20 normalisations by the statistics of 4 rows amplify roundings"],
  MobileNetV2: [0.9, "52 normalisations by the statistics of 4 rows, at last of one place each"],
};

let backend: Backend;
beforeAll(async () => {
  backend = await openOnnxRuntime();
});
afterAll(() => backend.dispose());

test.each(models)("%s: a step in mixed precision goes where float32's goes", async (name, model) => {
  const feeds = feedsOf(model);
  const [full, mixed] = [await step(model, feeds, "float32"), await step(model, feeds, "mixed_float16")];
  expect(Math.abs(mixed.loss / full.loss - 1)).toBeLessThan(0.02);
  const [cosine] = looser[name] ?? [likeness];
  expect(dot(full.change, mixed.change) / (length(full.change) * length(mixed.change))).toBeGreaterThan(cosine);
  expect(Math.abs(length(mixed.change) / length(full.change) - 1)).toBeLessThan(0.05);
});

test("networks with looser bounds are among them", () => {
  expect(models.length).toBeGreaterThan(80);
  expect(Object.keys(looser).filter((name) => !models.some(([known]) => known === name))).toEqual([]);
});

/** One step of plain descent with the rate 1: the change of the parameters is the gradient. */
async function step(model: Model, feeds: Tensors, precision: Precision): Promise<{ readonly loss: number; readonly change: readonly number[] }> {
  const loss = meanSquaredError({ output: floatOutput(model.graph) ?? "" });
  // A small scale: gradients of N-BEATS reach 10^4 here.
  const graph = createTrainingGraph(model, {
    loss,
    optimizer: sgd({ learningRate: 1 }),
    precision,
    modelOutputs: false,
    lossScaling: { initialScale: 4 },
  });
  const executable = await backend.compile(graph, { state: model.state });
  const random = randomFeeds(graph, { seed: 1, step: 1, batch: rows });
  const outputs = await executable.run({ ...feeds, ...random, learning_rate: scalar(1), step: scalar(1, "int64") });
  const names = model.graph.state.filter(({ role }) => role === "parameter").map((state) => state.name);
  const state = await executable.readState(names);
  await executable.dispose();
  const change = names.flatMap((name) => {
    const before = toNumbers(model.state[name] as Tensor);
    return toNumbers(state[name] as Tensor).map((value, i) => value - before[i]!);
  });
  return { loss: toNumbers(outputs["loss"] as Tensor)[0]!, change };
}

function feedsOf({ graph }: Model): Tensors {
  const random = new Random(41);
  const draw = (dtype: DType, shape: readonly Dimension[]): Tensor => {
    const sizes = shape.map((size) => (size === "batch" ? rows : size));
    const count = elementCount(sizes);
    if (dtype === "float32") return tensor(dtype, sizes, random.normals(count));
    const numbers = Array.from({ length: count }, () => random.integer(dtype === "bool" ? 2 : 3));
    return tensor(dtype, sizes, numbers);
  };
  const inputs = graph.inputs.map(({ name, dtype, shape }) => [name, draw(dtype, shape)] as const);
  const output = graph.values[graph.outputs[floatOutput(graph) ?? ""] ?? ""];
  return { ...Object.fromEntries(inputs), labels: draw("float32", output?.shape ?? []) };
}

function floatOutput({ outputs, values }: Model["graph"]): string | undefined {
  return Object.keys(outputs).find((name) => values[outputs[name] ?? ""]?.dtype === "float32");
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function length(a: readonly number[]): number {
  return Math.sqrt(dot(a, a));
}
