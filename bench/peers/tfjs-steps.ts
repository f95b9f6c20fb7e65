import type { Tensor } from "../../core/index.ts";
import { classes, findSubject, parametersOf, subjectData, type Subject } from "../subjects/index.ts";
import { adamEpsilon } from "./adam-epsilon.ts";
import { serveSteps } from "./serve-steps.ts";
import { loadTfjs } from "./tfjs-layers.ts";

/** Trains a subject with tfjs layers on wasm: `node tfjs-steps.ts <subject>`. */
const subject = findSubject(process.argv[2] ?? "");
const tfjs = await loadTfjs();
const { core } = tfjs;
if (subject.tfjs === undefined) throw new Error(`${subject.name} is not written in tfjs layers`);
const model = subject.tfjs.build(tfjs);
model.compile({
  optimizer: core.train.adam(subject.learningRate, 0.9, 0.999, adamEpsilon),
  loss: (truth: Parameters<typeof core.losses.softmaxCrossEntropy>[0], scores: Parameters<typeof core.losses.softmaxCrossEntropy>[1]) =>
    core.losses.softmaxCrossEntropy(truth, scores),
});
const weights = Object.entries(parametersOf(subject.build())).map(([name, value]) => {
  const { shape, values } = toChannelsLast(name, value, subject);
  return [name, core.tensor(values, [...shape])] as const;
});
if (subject.tfjs.isNamed === true) {
  const layerOf = (name: string): string => name.slice(0, name.lastIndexOf("/"));
  for (const layer of new Set(weights.map(([name]) => layerOf(name)))) {
    const [given, known] = [weights.filter(([name]) => layerOf(name) === layer).map(([, value]) => value), model.getLayer(layer)];
    known.setWeights([...given, ...known.getWeights().slice(given.length)]); // running statistics stay as they are
  }
} else {
  model.setWeights(weights.map(([, value]) => value));
}
const { x, labels } = subjectData(subject);
const { row } = subject;
const rows = row.length === 1 ? { shape: [...row], values: x.data as Float32Array } : imagesChannelsLast(x);
await serveSteps(`tfjs ${core.version_core} layers on wasm (SIMD, no threads in Node); ${tfjs.patch}`, async () => {
  const images = core.tensor(rows.values, [subject.batch, ...rows.shape]);
  const truth = core.oneHot(core.tensor1d(labels.data as Int32Array, "int32"), classes);
  const loss = await model.trainOnBatch(images, truth);
  core.dispose([images, truth]);
  return Number(loss);
});

/** [N, C, H, W] as [N, H, W, C]. */
function imagesChannelsLast({ shape, data }: Tensor): { readonly shape: readonly number[]; readonly values: Float32Array } {
  const source = data as Float32Array; // images are float32
  const [images = 0, channels = 0, height = 0, width = 0] = shape;
  const values = new Float32Array(source.length);
  for (let n = 0; n < images; n += 1) {
    for (let c = 0; c < channels; c += 1) {
      for (let p = 0; p < height * width; p += 1) {
        values[(n * height * width + p) * channels + c] = source[(n * channels + c) * height * width + p] ?? 0;
      }
    }
  }
  return { shape: [height, width, channels], values };
}

/** A parameter as tfjs keeps it: kernels [height, width, in, out], and the flattened image's rows with the channel last. */
function toChannelsLast(
  name: string,
  { shape, data }: Tensor,
  { tfjs }: Subject,
): { readonly shape: readonly number[]; readonly values: Float32Array } {
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
  const flattened = tfjs?.flattened;
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
