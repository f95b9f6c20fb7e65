import type { Backend, Executable } from "../backend.ts";
import { EspalierError } from "../errors.ts";
import type { Model } from "../models/model.ts";
import { scalar } from "../tensor.ts";
import { checkBatch } from "./check-batch.ts";
import type { TrainingData } from "./fit-options.ts";
import { lossTerms } from "./loss-terms.ts";
import { randomFeeds } from "./random-feeds.ts";
import { createTrainingGraph, type TrainingGraphOptions } from "./training-graph.ts";

/** What is trained for a moment, and which rates are tried. */
export interface FindLearningRateOptions extends Omit<TrainingGraphOptions, "modelOutputs"> {
  readonly model: Model;
  readonly backend: Backend;
  /** As for `fit`; passed over again when it is shorter than the sweep. */
  readonly train: TrainingData;
  /** The first rate; default 1e-7. */
  readonly minLearningRate?: number;
  /** The last rate; default 10. */
  readonly maxLearningRate?: number;
  /** Steps from the first rate to the last; from 10, default 100. */
  readonly steps?: number;
  /** The sweep ends when the smoothed loss is above this times its least; above 1, default 4. */
  readonly divergence?: number;
  /** Default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** One step of the sweep. */
export interface LearningRatePoint {
  readonly learningRate: number;
  /** Of the step's batch, before its update. */
  readonly loss: number;
}

/** What a sweep found. */
export interface LearningRateCurve {
  readonly curve: readonly LearningRatePoint[];
  /** The rate at which the loss falls fastest; undefined when no rate lowered it. */
  readonly suggestion: number | undefined;
  /** Whether the loss grew without bound, as it should before the last rate. */
  readonly diverged: boolean;
}

/**
 * Trains with rates that grow step by step until the loss diverges, to see which rate is good. The model stays as it is: the sweep has weights of its own.
 *
 * @throws ARGUMENT_INVALID for a number out of range; DATA_EMPTY; TARGET_INVALID for labels that do not fit; CANCELLED; what `createTrainingGraph` and the backend throw
 * @see L. N. Smith, Cyclical learning rates for training neural networks (2017), section 3.3
 * @example const { suggestion } = await findLearningRate({ model, backend, loss: softmaxCrossEntropy(), optimizer: adam(), train });
 */
export async function findLearningRate(options: FindLearningRateOptions): Promise<LearningRateCurve> {
  const sweep = checkSweep(options);
  const { model, backend } = options;
  const executable = await backend.compile(createTrainingGraph(model, { ...options, modelOutputs: false }), { state: model.state });
  try {
    return await runSweep(options, sweep, executable);
  } finally {
    await executable.dispose();
  }
}

type Sweep = Required<Pick<FindLearningRateOptions, "minLearningRate" | "maxLearningRate" | "steps" | "divergence" | "seed">>;

function checkSweep({ minLearningRate = 1e-7, maxLearningRate = 10, steps = 100, divergence = 4, seed = 0 }: FindLearningRateOptions): Sweep {
  const refuse = (message: string, details: Readonly<Record<string, number>>): never => {
    throw new EspalierError("ARGUMENT_INVALID", `findLearningRate: ${message}`, details);
  };
  if (!(minLearningRate > 0 && minLearningRate < Infinity))
    refuse(`minLearningRate must be a number above 0, not ${minLearningRate}`, { minLearningRate });
  if (!(maxLearningRate > minLearningRate && maxLearningRate < Infinity)) {
    refuse(`maxLearningRate must be above minLearningRate ${minLearningRate}, not ${maxLearningRate}`, { minLearningRate, maxLearningRate });
  }
  if (!(Number.isSafeInteger(steps) && steps >= 10)) refuse(`steps must be a whole number from 10, not ${steps}`, { steps });
  if (!(divergence > 1 && divergence < Infinity)) refuse(`divergence must be a number above 1, not ${divergence}`, { divergence });
  return { minLearningRate, maxLearningRate, steps, divergence, seed };
}

/** How much of the running mean of the losses a step keeps. */
const smoothing = 0.9;

async function runSweep(options: FindLearningRateOptions, sweep: Sweep, executable: Executable): Promise<LearningRateCurve> {
  const { minLearningRate, maxLearningRate, steps, divergence, seed } = sweep;
  const { model, loss, train, sampleWeights = false, signal } = options;
  const terms = lossTerms(loss);
  const curve: LearningRatePoint[] = [];
  let [mean, least] = [0, Infinity];
  for (let epoch = 1; ; epoch++) {
    const before = curve.length;
    const data = typeof train === "function" ? train({ epoch, seed }) : train;
    for await (const batch of data.iterate()) {
      if (signal?.aborted === true) throw new EspalierError("CANCELLED", "findLearningRate: the signal fired", { steps: curve.length });
      const step = curve.length + 1;
      const { rows } = checkBatch(batch, { terms, graph: model.graph, sampleWeights, place: `step ${step} of the sweep` });
      const learningRate = minLearningRate * (maxLearningRate / minLearningRate) ** ((step - 1) / (steps - 1));
      const random = randomFeeds(executable.graph, { seed, step, batch: rows });
      const outputs = await executable.run({ ...batch, ...random, learning_rate: scalar(learningRate), step: scalar(step, "int64") });
      const found = Number(outputs["loss"]?.data[0]);
      if (!Number.isFinite(found)) return { curve, suggestion: steepest(curve), diverged: true };
      curve.push({ learningRate, loss: found });
      mean = smoothing * mean + (1 - smoothing) * found;
      const smoothed = mean / (1 - smoothing ** step);
      if (smoothed > divergence * least) return { curve, suggestion: steepest(curve), diverged: true };
      least = Math.min(least, smoothed);
      if (step === steps) return { curve, suggestion: steepest(curve), diverged: false };
    }
    if (curve.length === before) throw new EspalierError("DATA_EMPTY", "findLearningRate: the training data has no rows", { epoch });
  }
}

/** How far the losses on both sides of a step are averaged, and how far apart slopes are taken. */
const reach = 3;

/** The rate where the smoothed loss falls fastest, before its least. */
function steepest(curve: readonly LearningRatePoint[]): number | undefined {
  const smooth = curve.map((_, i) => {
    const near = curve.slice(Math.max(0, i - reach), i + reach + 1);
    return near.reduce((sum, { loss }) => sum + loss, 0) / near.length;
  });
  const lowest = smooth.indexOf(Math.min(...smooth));
  let best: { readonly slope: number; readonly rate: number | undefined } = { slope: 0, rate: undefined };
  for (let i = reach; i <= lowest; i++) {
    const slope = (smooth[Math.min(smooth.length - 1, i + reach)] as number) - (smooth[i - reach] as number); // rates are evenly spaced in the logarithm
    if (slope < best.slope) best = { slope, rate: curve[i]?.learningRate };
  }
  return best.rate;
}
