import {
  adam,
  conv2D,
  createTrainingGraph,
  dense,
  flatten,
  maxPooling2D,
  Random,
  sequential,
  softmaxCrossEntropy,
  tensor,
  type Executable,
  type Model,
  type Tensor,
  type Tensors,
} from "../core/index.ts";
import { openOnnxRuntime } from "../backends/onnxruntime/index.ts";
import { requireCheck, type Bench, type BenchContext, type BenchResult } from "./bench.ts";
import { contest } from "./measure.ts";
import { loadTfjs, type TfjsPeer, type TfModel } from "./peers/tfjs-layers.ts";

const classes = 10;
const learningRate = 0.0003;

/** ONNX adds epsilon before the correction of the bias, tfjs after it: small enough to make no difference between them. */
const epsilon = 1e-10;

/** Steps whose losses are compared before anything is timed, and how far they may differ. */
const checkedSteps = 5;
const tolerance = 1e-4;

/** One training step, forward, backward and Adam, against tfjs 4.22 layers on wasm. */
export const bench: Bench = {
  name: "training",
  description: "one training step (loss, gradients, Adam) on onnxruntime against tfjs 4.22 layers on its wasm backend",
  async run(context) {
    const tfjs = await loadTfjs();
    const results = [await compare(mlp, tfjs, context), await compare(convolutional, tfjs, context)];
    return {
      ratios: Object.assign({}, ...results.map(({ ratios }) => ratios)) as BenchResult["ratios"],
      spread: Object.assign({}, ...results.map(({ spread }) => spread)) as BenchResult["spread"],
      checks: Object.assign({ patch: tfjs.patch }, ...results.map(({ checks }) => checks)) as BenchResult["checks"],
    };
  },
};

/** A network in both systems. */
interface Subject {
  readonly name: string;
  readonly batch: number;
  /** One row, channels first. */
  readonly shape: readonly number[];
  readonly model: Model;
  readonly peer: (tfjs: TfjsPeer) => TfModel;
  /** Where the image is flattened: channels and pixels of the dense layer after it, whose rows tfjs orders pixels first. */
  readonly flattened?: { readonly parameter: string; readonly channels: number; readonly pixels: number };
}

const mlp: Subject = {
  name: "MLP 784-512-256-10 b128",
  batch: 128,
  shape: [784],
  model: sequential({
    input: { name: "x", shape: [784] },
    layers: [dense({ units: 512, activation: "relu" }), dense({ units: 256, activation: "relu" }), dense({ units: classes })],
    output: "logits",
  }),
  peer: ({ layers }) => {
    const model = layers.sequential();
    model.add(layers.layers.dense({ units: 512, activation: "relu", inputShape: [784] }));
    model.add(layers.layers.dense({ units: 256, activation: "relu" }));
    model.add(layers.layers.dense({ units: classes }));
    return model;
  },
};

const convolutional: Subject = {
  name: "LeNet-like CNN b64",
  batch: 64,
  shape: [1, 28, 28],
  model: sequential({
    input: { name: "x", shape: [1, 28, 28] },
    layers: [
      conv2D({ filters: 6, kernelSize: 5, padding: "same", activation: "relu" }),
      maxPooling2D({ poolSize: 2 }),
      conv2D({ filters: 16, kernelSize: 5, activation: "relu" }),
      maxPooling2D({ poolSize: 2 }),
      flatten(),
      dense({ units: 120, activation: "relu" }),
      dense({ units: 84, activation: "relu" }),
      dense({ units: classes }),
    ],
    output: "logits",
  }),
  peer: ({ layers }) => {
    const model = layers.sequential();
    model.add(layers.layers.conv2d({ filters: 6, kernelSize: 5, padding: "same", activation: "relu", inputShape: [28, 28, 1] }));
    model.add(layers.layers.maxPooling2d({ poolSize: 2 }));
    model.add(layers.layers.conv2d({ filters: 16, kernelSize: 5, activation: "relu" }));
    model.add(layers.layers.maxPooling2d({ poolSize: 2 }));
    model.add(layers.layers.flatten({}));
    model.add(layers.layers.dense({ units: 120, activation: "relu" }));
    model.add(layers.layers.dense({ units: 84, activation: "relu" }));
    model.add(layers.layers.dense({ units: classes }));
    return model;
  },
  flattened: { parameter: "dense/kernel", channels: 16, pixels: 25 },
};

async function compare(subject: Subject, tfjs: TfjsPeer, { log }: BenchContext): Promise<BenchResult> {
  const data = makeData(subject);
  const backend = await openOnnxRuntime();
  const graph = createTrainingGraph(subject.model, { loss: softmaxCrossEntropy(), optimizer: adam({ epsilon }) });
  const step = ourStep(await backend.compile(graph, { state: subject.model.state }), data);
  const peerStep = tfjsStep(subject, tfjs, data);
  const losses: { readonly ours: number; readonly peer: number }[] = [];
  for (let i = 0; i < checkedSteps; i += 1) losses.push({ ours: await step(), peer: await peerStep() });
  const distance = Math.max(...losses.map(({ ours, peer }) => Math.abs(ours - peer)));
  requireCheck(distance <= tolerance, `${subject.name}: losses differ by ${distance}: ${JSON.stringify(losses)}`);
  requireCheck((losses.at(-1)?.ours ?? 0) < (losses[0]?.ours ?? 0), `${subject.name}: the loss does not fall: ${JSON.stringify(losses)}`);
  const result = await contest({ ours: step, peer: peerStep }, { ourRepeats: 20, peerRepeats: 4, rounds: 21, warmUp: 10 });
  await backend.dispose();
  const what = `${subject.name} step vs tfjs-layers-wasm`;
  log(`${subject.name}: ${result.oursMs.toFixed(2)} ms against ${result.peerMs.toFixed(2)} ms; first losses within ${distance.toExponential(1)}`);
  return {
    ratios: { [what]: result.ratio },
    spread: { [what]: result.quartiles },
    checks: { [subject.name]: { lossesWithin: distance, firstLoss: losses[0]?.ours, oursMs: result.oursMs, tfjsMs: result.peerMs } },
  };
}

interface Data {
  readonly x: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
}

function makeData({ batch, shape }: Subject): Data {
  const random = new Random(7);
  const size = batch * shape.reduce((a, b) => a * b, 1);
  return {
    x: Float32Array.from({ length: size }, () => random.uniform(-1, 1)),
    labels: Int32Array.from({ length: batch }, (_, i) => (i * 7) % classes),
  };
}

function ourStep(executable: Executable, { x, labels }: Data): () => Promise<number> {
  const shape = [
    labels.length,
    ...(executable.graph.inputs
      .find((input) => input.name === "x")
      ?.shape.slice(1)
      .map(Number) ?? []),
  ];
  let steps = 0;
  return async () => {
    steps += 1;
    const feeds: Tensors = {
      x: tensor("float32", shape, x),
      labels: tensor("int32", [labels.length], labels),
      learning_rate: tensor("float32", [], [learningRate]),
      step: tensor("int64", [], [steps]),
    };
    return Number((await executable.run(feeds))["loss"]?.data[0]);
  };
}

function tfjsStep(subject: Subject, tfjs: TfjsPeer, { x, labels }: Data): () => Promise<number> {
  const { core } = tfjs;
  const model = subject.peer(tfjs);
  model.compile({
    optimizer: core.train.adam(learningRate, 0.9, 0.999, epsilon),
    loss: (truth: Parameters<typeof core.losses.softmaxCrossEntropy>[0], scores: Parameters<typeof core.losses.softmaxCrossEntropy>[1]) =>
      core.losses.softmaxCrossEntropy(truth, scores),
  });
  model.setWeights(
    Object.entries(subject.model.state).map(([name, value]) => {
      const { shape, values } = toChannelsLast(name, value, subject);
      return core.tensor(values, [...shape]);
    }),
  );
  // One channel: channels first and channels last are the same numbers.
  const shape = subject.shape.length === 1 ? [...subject.shape] : [...subject.shape.slice(1), 1];
  return async () => {
    const rows = core.tensor(x, [subject.batch, ...shape]);
    const truth = core.oneHot(core.tensor1d(labels, "int32"), classes);
    const loss = await model.trainOnBatch(rows, truth);
    core.dispose([rows, truth]);
    return Number(loss);
  };
}

/** A parameter as tfjs keeps it: kernels [height, width, in, out], and the flattened image's rows with the channel last. */
function toChannelsLast(name: string, { shape, data }: Tensor, { flattened }: Subject): { shape: readonly number[]; values: Float32Array } {
  const source = data as Float32Array; // parameters are float32
  if (shape.length === 4) {
    const [units = 0, channels = 0, height = 0, width = 0] = shape;
    const values = new Float32Array(source.length);
    for (let m = 0; m < units; m += 1) {
      for (let c = 0; c < channels; c += 1) {
        for (let p = 0; p < height * width; p += 1) values[(p * channels + c) * units + m] = source[(m * channels + c) * height * width + p] ?? 0;
      }
    }
    return { shape: [height, width, channels, units], values };
  }
  if (name !== flattened?.parameter) return { shape, values: source.slice() };
  const [, columns = 0] = shape;
  const values = new Float32Array(source.length);
  for (let c = 0; c < flattened.channels; c += 1) {
    for (let p = 0; p < flattened.pixels; p += 1) {
      const row = source.subarray((c * flattened.pixels + p) * columns, (c * flattened.pixels + p + 1) * columns);
      values.set(row, (p * flattened.channels + c) * columns);
    }
  }
  return { shape, values };
}
