import { afterAll, expect, test, vi } from "vitest";
import { openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import { openReference } from "../../backends/reference/index.ts";
import { tensorBatches } from "../data/tensor-batches.ts";
import { Random } from "../random.ts";
import { elementCount, tensor, toNumbers, type Tensors } from "../tensor.ts";
import { adam, fit, gaussianKlDivergence, meanSquaredError, softmaxCrossEntropy, type Losses } from "../training/index.ts";
import {
  autoencoder,
  causalLanguageModel,
  dlrm,
  generate,
  ftTransformer,
  mobileNetV2,
  recurrentForecaster,
  nBeats,
  resNet,
  tabTransformer,
  temporalConvolution,
  textEncoder,
  textTransformer,
  twoTower,
  uNet,
  variationalAutoencoder,
  visionTransformer,
  wideAndDeep,
  type Model,
  type TableBlock,
} from "./index.ts";

const backend = openReference();
afterAll(() => backend.dispose());
vi.setConfig({ testTimeout: 180_000 }); // drawing first values for 80 million parameters takes seconds
const classes = (n: number): { readonly task: "classification"; readonly classes: number } => ({ task: "classification", classes: n });

/** Trained numbers; running statistics are not among them. */
function trained({ graph }: Model): number {
  return graph.state.filter(({ role }) => role === "parameter").reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

async function outputsOf(model: Model, feeds: Tensors): Promise<Tensors> {
  const executable = await backend.compile(model.graph, { state: model.state });
  const outputs = await executable.run(feeds);
  await executable.dispose();
  return outputs;
}

function normal(shape: readonly number[], seed = 1): Tensors[string] {
  return tensor("float32", shape, new Random(seed).normals(elementCount(shape)));
}

test("parameter counts are those of torchvision, Keras Applications and timm", () => {
  const photograph = { shape: [3, 224, 224], head: classes(1000) } as const;
  expect(trained(resNet({ ...photograph, depth: 18 }))).toBe(11_689_512);
  expect(trained(resNet({ ...photograph, depth: 34 }))).toBe(21_797_672);
  expect(trained(resNet({ ...photograph, depth: 50 }))).toBe(25_557_032);
  const mobile = mobileNetV2(photograph);
  expect(trained(mobile)).toBe(3_504_872);
  expect(Object.values(mobile.state).reduce((sum, { shape }) => sum + elementCount(shape), 0)).toBe(3_538_984); // with the running statistics
  expect(trained(visionTransformer(photograph))).toBe(5_717_416); // ViT-Ti/16
  expect(trained(visionTransformer({ ...photograph, width: 384, heads: 6 }))).toBe(22_050_664); // ViT-S/16
});

test.each([
  [0.35, 1_691_208, 1_677_128],
  [0.5, 1_987_224, 1_968_680],
  [0.75, 2_663_064, 2_636_424],
  [1.3, 5_431_048, 5_386_792],
  [1.4, 6_156_712, 6_108_776],
])("MobileNetV2 with alpha %d has the %d numbers of Keras 3.15, of which %d are trained", (alpha, all, learned) => {
  const model = mobileNetV2({ shape: [3, 96, 96], head: classes(1000), alpha });
  expect(Object.values(model.state).reduce((sum, { shape }) => sum + elementCount(shape), 0)).toBe(all);
  expect(trained(model)).toBe(learned);
});

test("a residual network of half the width has a quarter of the kernels, and half of what has one width alone", () => {
  const [total, stem, head, normalizations] = [11_689_512, 3 * 7 * 7 * 64, 513 * 1000, 2 * 4800]; // of ResNet-18
  const kernels = total - stem - head - normalizations;
  const half = resNet({ shape: [3, 224, 224], head: classes(1000), width: 32 });
  expect(trained(half)).toBe(kernels / 4 + stem / 2 + 257 * 1000 + normalizations / 2);
  for (const width of [0, -8, 1.5, Number.NaN]) {
    expect(() => resNet({ shape: [3, 8, 8], head: classes(4), width })).toThrow(`resNet: width must be a whole number from 1, not ${width}`);
  }
});

test("a U-Net has the paper's kernels: 31 million numbers, and answers at every place", async () => {
  const pair = (from: number, to: number): number => 9 * from * to + to + 9 * to * to + to;
  const up = (from: number): number => 4 * from * (from / 2) + from / 2 + pair(from, from / 2);
  const expected =
    pair(1, 64) + pair(64, 128) + pair(128, 256) + pair(256, 512) + pair(512, 1024) + up(1024) + up(512) + up(256) + up(128) + 64 * 2 + 2;
  expect(trained(uNet({ shape: [1, 64, 64], head: classes(2) }))).toBe(expected);
  expect(expected).toBe(31_030_658);
  const small = uNet({ shape: [1, 16, 12], head: classes(3), filters: 2, depth: 2 });
  expect((await outputsOf(small, { image: normal([1, 1, 16, 12]) }))["logits"]?.shape).toEqual([1, 3, 16, 12]);
  expect(() => uNet({ shape: [1, 20, 16], head: classes(2) })).toThrow("an image of 20x16 cannot be halved 4 times; pad it to a multiple of 16");
});

test.each([
  ["resnet-18 of small pictures", () => resNet({ shape: [1, 8, 8], head: classes(4) }), [2, 1, 8, 8]],
  ["resnet-50 of photographs", () => resNet({ shape: [3, 32, 32], head: classes(4), depth: 50, stem: "photograph" }), [1, 3, 32, 32]],
  ["mobilenet-v2", () => mobileNetV2({ shape: [3, 16, 16], head: classes(4), alpha: 0.35 }), [1, 3, 16, 16]],
  ["vision transformer", () => visionTransformer({ shape: [3, 8, 8], head: classes(4), patch: 4, width: 12, layers: 1, heads: 3 }), [2, 3, 8, 8]],
] as const)("%s answers with one logit a class", async (_, build, shape) => {
  const fast = await openOnnxRuntime({ thread: "inline" }); // the reference backend would take half a minute
  const model = build();
  const executable = await fast.compile(model.graph, { state: model.state });
  const { logits } = await executable.run({ image: normal(shape) });
  await fast.dispose();
  expect(logits?.shape).toEqual([shape[0], 4]);
  expect(toNumbers(logits!).every(Number.isFinite)).toBe(true);
});

const blocks: readonly TableBlock[] = [
  { kind: "number", width: 1 },
  { kind: "category", width: 4 },
  { kind: "number", width: 2 },
  { kind: "category", width: 3 },
];

/** A table of those blocks, one-hot in the categories; the class is that of the first category's place and the number's sign together. */
function table(rows: number): Tensors {
  const random = new Random(8);
  const features = new Float32Array(rows * 10);
  const labels = new Int32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const [a, b, x] = [random.integer(4), random.integer(3), random.normal()];
    features.set([x], row * 10);
    features[row * 10 + 1 + a] = 1;
    features.set([random.normal(), 0], row * 10 + 5);
    features[row * 10 + 7 + b] = 1;
    labels[row] = (a % 2 === 0) === x > 0 ? 1 : 0; // no linear model can tell
  }
  return { features: tensor("float32", [rows, 10], features), labels: tensor("int32", [rows], labels) };
}

interface TrainOptions {
  readonly loss?: Losses;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
}

function train(model: Model, feeds: Tensors, options: TrainOptions = {}): ReturnType<typeof fit> {
  const { loss = softmaxCrossEntropy(), epochs = 30, batchSize = 32, learningRate = 0.01 } = options;
  const train = tensorBatches(feeds, { batchSize });
  return fit({ model, backend, loss, optimizer: adam({ learningRate }), train, epochs, metrics: [] });
}

test.each([
  ["wide and deep", () => wideAndDeep({ blocks, head: classes(2), width: 4, hidden: [16] })],
  ["TabTransformer", () => tabTransformer({ blocks, head: classes(2), width: 8, layers: 1, heads: 2, hidden: [16], dropoutRate: 0 })],
  ["FT-Transformer", () => ftTransformer({ blocks, head: classes(2), width: 16, layers: 1, heads: 2, dropoutRate: 0 })],
] as const)("%s learns what depends on a category and a number together", async (_, build) => {
  const { history } = await train(build(), table(160));
  expect(history.at(-1)!.loss).toBeLessThan(0.35); // 0.69 is guessing
});

test("a table transformer's tokens are look-ups: a category's place picks its own row", async () => {
  const model = ftTransformer({ blocks: [{ kind: "category", width: 3 }], head: classes(2), width: 4, layers: 1, heads: 1 });
  const rows = tensor("float32", [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1]);
  const graph = { ...model.graph, outputs: { tokens: "tokens/Add" } };
  const { tokens } = await outputsOf({ ...model, graph }, { features: rows });
  const [vectors, bias] = ["tokens/block1", "tokens/bias"].map((name) => toNumbers(model.state[name]!));
  toNumbers(tokens!).forEach((value, i) => expect(value).toBeCloseTo(vectors![i]! + bias![i % 4]!, 6));
});

test("DLRM learns from the product of two categories", async () => {
  const random = new Random(2);
  const pairs = Array.from({ length: 96 }, () => [random.integer(3), random.integer(3)] as const);
  const feeds = {
    numbers: normal([96, 2]),
    categories: tensor("int32", [96, 2], pairs.flat()),
    labels: tensor(
      "int32",
      [96],
      pairs.map(([a, b]) => (a === b ? 1 : 0)),
    ),
  };
  const model = dlrm({ numbers: 2, categories: [3, 3], head: classes(2), width: 4, bottom: [8], top: [8] });
  const { history } = await train(model, feeds, { epochs: 40 });
  expect(history.at(-1)!.loss).toBeLessThan(0.3);
  expect(() => dlrm({ numbers: 0, categories: [3], head: classes(2) })).toThrow("takes at least one number and one category, not 0 and 1");
});

test("two towers give embeddings of length 1 and every pair's score", async () => {
  const model = twoTower({ query: 3, candidate: 5, width: 4, temperature: 0.5 });
  const outputs = await outputsOf(model, { query: normal([6, 3]), candidate: normal([6, 5], 2) });
  expect(outputs["logits"]?.shape).toEqual([6, 6]);
  const [q, c] = ["query_embedding", "candidate_embedding"].map((name) => toNumbers(outputs[name]!));
  const scores = toNumbers(outputs["logits"]!);
  const product = (i: number, j: number): number => [0, 1, 2, 3].reduce((sum, k) => sum + q![4 * i + k]! * c![4 * j + k]!, 0);
  expect(product(2, 4) / 0.5).toBeCloseTo(scores[2 * 6 + 4]!, 5);
  expect([0, 1, 2, 3].reduce((sum, k) => sum + q![k]! ** 2, 0)).toBeCloseTo(1, 5);
});

test("a text transformer leaves padding out: more of it changes nothing, and word order counts", async () => {
  const model = textTransformer({
    texts: [{ input: "tokens", vocabulary: 20, maxLength: 8 }],
    head: classes(3),
    width: 16,
    layers: 1,
    heads: 2,
    dropoutRate: 0,
  });
  const logits = async (tokens: readonly number[]): Promise<number[]> =>
    toNumbers((await outputsOf(model, { tokens: tensor("int32", [1, 8], tokens) }))["logits"]!);
  const text = await logits([5, 6, 7, 0, 0, 0, 0, 0]);
  const swapped = await logits([6, 5, 7, 0, 0, 0, 0, 0]);
  expect(text).not.toEqual(swapped);
  const longer = textTransformer({
    texts: [{ input: "tokens", vocabulary: 20, maxLength: 3 }],
    head: classes(3),
    width: 16,
    layers: 1,
    heads: 2,
    dropoutRate: 0,
  });
  const short = {
    ...longer,
    state: {
      ...model.state,
      "tokens_embedding/position_embedding/embeddings": tensor(
        "float32",
        [3, 16],
        (model.state["tokens_embedding/position_embedding/embeddings"]!.data as Float32Array).slice(0, 48),
      ),
    },
  };
  const alone = toNumbers((await outputsOf(short, { tokens: tensor("int32", [1, 3], [5, 6, 7]) }))["logits"]!);
  alone.forEach((value, i) => expect(value).toBeCloseTo(text[i]!, 5));
});

test("a text encoder's embedding is the mean of its vectors", async () => {
  const outputs = await outputsOf(textEncoder({ input: "tokens", vocabulary: 9, maxLength: 4, width: 8, layers: 1, heads: 2 }), {
    tokens: tensor("int32", [1, 4], [1, 2, 0, 0]),
  });
  const [encoded, mean] = [toNumbers(outputs["encoded"]!), toNumbers(outputs["embedding"]!)];
  mean.forEach((value, i) => expect(value).toBeCloseTo((encoded[i]! + encoded[8 + i]!) / 2, 5));
});

test("a causal language model sees nothing ahead, learns a text by heart and says it again", async () => {
  const text = [1, 4, 2, 5, 3, 1, 4, 2, 5, 3, 1, 4];
  const model = causalLanguageModel({ vocabulary: 6, length: 8, width: 16, layers: 1, heads: 2, dropoutRate: 0 });
  const logits = async (tokens: readonly number[]): Promise<number[]> =>
    toNumbers((await outputsOf(model, { tokens: tensor("int32", [1, 8], tokens) }))["logits"]!);
  const [one, other] = [await logits([1, 2, 3, 4, 5, 0, 0, 0]), await logits([1, 2, 3, 5, 5, 5, 5, 5])];
  expect(one.slice(0, 18)).toEqual(other.slice(0, 18)); // the first three places
  expect(one.slice(18, 24)).not.toEqual(other.slice(18, 24));

  const starts = [0, 1, 2, 3];
  const windows = (from: number): number[] => starts.flatMap((start) => text.slice(start + from, start + from + 8));
  const feeds = { tokens: tensor("int32", [4, 8], windows(0)), labels: tensor("int32", [4, 8], windows(1)) };
  const { model: learned, history } = await train(model, feeds, { epochs: 60, batchSize: 4, learningRate: 0.02 });
  expect(history.at(-1)!.loss).toBeLessThan(0.4);
  const executable = await backend.compile(learned.graph, { state: learned.state });
  expect(await generate(executable, { prompt: [1, 4, 2], tokens: 7, temperature: 0 })).toEqual([5, 3, 1, 4, 2, 5, 3]);
  expect(await generate(executable, { prompt: [1, 4, 2], tokens: 7, temperature: 0, stop: 4 })).toEqual([5, 3, 1]);
  const wild = { prompt: [1], tokens: 20, temperature: 5, seed: 3 };
  expect(await generate(executable, wild)).toEqual(await generate(executable, wild));
  expect(await generate(executable, { ...wild, topK: 1 })).toEqual(await generate(executable, { ...wild, temperature: 0 }));
  expect(await generate(executable, { ...wild, topP: 1e-6 })).toEqual(await generate(executable, { ...wild, temperature: 0 }));
  await expect(generate(executable, { prompt: [6], tokens: 1 })).rejects.toThrow("the prompt has token 6; the model's tokens are from 0 to 5");
  await executable.dispose();
});

const forecast = { window: 12, features: 1, horizon: 3, seed: 1 };

test.each([
  ["LSTM", () => recurrentForecaster({ ...forecast, units: [8] })],
  ["GRU", () => recurrentForecaster({ ...forecast, cell: "gru", units: [8, 6] })],
  ["TCN", () => temporalConvolution({ ...forecast, filters: 8 })],
  ["N-BEATS, generic", () => nBeats({ ...forecast, hidden: 16, blocks: 1 })],
  ["N-BEATS, trend and seasonality", () => nBeats({ ...forecast, hidden: 16, blocks: 1, stacks: ["trend", "seasonality"] })],
] as const)("%s foretells a wave three steps ahead", async (_, build) => {
  const wave = (t: number): number => Math.sin((2 * Math.PI * t) / 7);
  const rows = 64;
  const feeds = {
    window: tensor(
      "float32",
      [rows, 12, 1],
      Array.from({ length: rows * 12 }, (__, i) => wave(Math.floor(i / 12) + (i % 12))),
    ),
    labels: tensor(
      "float32",
      [rows, 3],
      Array.from({ length: rows * 3 }, (__, i) => wave(Math.floor(i / 3) + 12 + (i % 3))),
    ),
  };
  const { history } = await train(build(), feeds, { loss: meanSquaredError(), epochs: 40, batchSize: 16 });
  expect(history.at(-1)!.loss).toBeLessThan(0.05); // the wave's variance is 0.5
});

test("an autoencoder reconstructs rows of two dimensions from two numbers, with its own input as labels", async () => {
  const random = new Random(6);
  const rows = Array.from({ length: 64 }, () => [random.normal(), random.normal()] as const).flatMap(([a, b]) => [a, b, a + b, a - b, 2 * a, -b]);
  const features = tensor("float32", [64, 6], rows);
  const loss = [{ loss: meanSquaredError({ output: "reconstruction" }), labels: "features" }];
  const { history } = await train(autoencoder({ width: 6, latent: 2, hidden: [16] }), { features }, { loss, epochs: 60 });
  expect(history.at(-1)!.loss).toBeLessThan(0.25 * history[0]!.loss);
  expect(() => autoencoder({ width: 6, latent: 6 })).toThrow("latent must be a whole number from 1 to below the width 6, not 6");
});

test("a variational autoencoder decodes its mean when predicting", async () => {
  const model = variationalAutoencoder({ width: 4, latent: 2, hidden: [8], seed: 3 });
  const features = normal([5, 4]);
  const [first, second] = [await outputsOf(model, { features }), await outputsOf(model, { features })];
  expect(first["latent"]?.shape).toEqual([5, 4]);
  expect(first["reconstruction"]).toEqual(second["reconstruction"]);
});

test("a variational autoencoder learns to reconstruct through noise, and keeps its distribution near the normal one", async () => {
  const random = new Random(9);
  const rows = Array.from({ length: 96 }, () => [random.normal(), random.normal()] as const).flatMap(([a, b]) => [a, b, a + b, a - b]);
  const features = tensor("float32", [96, 4], rows);
  const loss: Losses = [
    { loss: meanSquaredError({ output: "reconstruction" }), labels: "features" },
    { loss: gaussianKlDivergence(), labels: "features", weight: 0.02 },
  ];
  const { model, history } = await train(variationalAutoencoder({ width: 4, latent: 2, hidden: [16], seed: 3 }), { features }, { loss, epochs: 60 });
  expect(history.at(-1)!.loss).toBeLessThan(0.5 * history[0]!.loss);
  const latent = toNumbers((await outputsOf(model, { features }))["latent"]!);
  const spread = (k: number): number => Math.sqrt(latent.filter((_, i) => i % 4 === k).reduce((sum, mean) => sum + mean * mean, 0) / 96);
  for (const k of [0, 1]) expect(spread(k)).toBeLessThan(2); // means without the divergence's pull run away
});
