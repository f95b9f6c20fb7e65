import {
  augmentedFeeds,
  cosineSchedule,
  feedBatches,
  feedsOfRows,
  fit,
  softmaxCrossEntropy,
  tensorBatches,
  tensorFeeds,
  type FeedSource,
  type FitOptions,
  type Model,
  type Tensors,
} from "../core/index.ts";
import { openOnnxRuntime } from "../backends/onnxruntime/index.ts";
import { requireCheck } from "./bench.ts";
import { trainPytorch } from "./peers/pytorch-accuracy.ts";
import { augmentationOf, cautious, optimizerOf, type AccuracySubject, type Recipe } from "./subjects/index.ts";

/** How far the first steps' losses may be from PyTorch's, as a share of them. */
const lossTolerance = 1e-4;

/** One epoch of one run. */
export interface Epoch {
  readonly loss: number;
  readonly accuracy: number;
}

/** One system's training from one seed. */
export interface Run {
  readonly subject: AccuracySubject;
  readonly model: Model;
  readonly train: Tensors;
  readonly test: Tensors;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly threads: number;
  readonly log: (line: string) => void;
}

/** Trains here. @returns one entry an epoch */
export async function trainOurs({ model, train, test, recipe, seed, threads, log }: Run): Promise<readonly Epoch[]> {
  const curve: Epoch[] = [];
  const source = trainingRows(train, recipe);
  await fitOurs(threads, {
    model,
    loss: softmaxCrossEntropy(),
    optimizer: optimizerOf(recipe.optimizer),
    schedule: cosineSchedule(),
    train: (shuffle) => feedBatches(source, { batchSize: recipe.batch, shuffle }),
    validation: tensorBatches(test, { batchSize: 1000 }),
    epochs: recipe.epochs,
    seed,
    weights: "last",
    onEvent(event) {
      if (event.kind !== "epoch") return;
      const { epoch, loss, validation } = event.record;
      curve.push({ loss, accuracy: validation?.["accuracy"] ?? NaN });
      log(`seed ${seed}, epoch ${epoch}: loss ${loss.toFixed(4)}, accuracy ${curve.at(-1)?.accuracy.toFixed(4)}`);
    },
  });
  return curve;
}

function trainingRows(train: Tensors, { augmentation }: Recipe): FeedSource {
  const rows = tensorFeeds(train);
  if (augmentation === undefined) return rows;
  return augmentedFeeds(rows, { input: "x", ...augmentationOf(augmentation, train["x"]?.shape.at(-1) ?? 1) });
}

/**
 * Trains with PyTorch, after comparing the losses of its first steps with ours. @returns one entry an epoch
 *
 * @throws Error when those losses differ
 */
export async function trainPeer(python: string, run: Run): Promise<readonly Epoch[]> {
  const { subject, recipe, seed, log } = run;
  const curve: Epoch[] = [];
  for await (const line of trainPytorch(python, { ...run, pytorch: subject.pytorch })) {
    if ("firstLosses" in line) {
      const ours = await firstLosses(run, line.firstLosses.length);
      const differences = line.firstLosses.map((loss, step) => Math.abs(loss / (ours[step] ?? NaN) - 1));
      requireCheck(
        Math.max(...differences) <= lossTolerance,
        `the first losses are ${ours.join(", ")} here, ${line.firstLosses.join(", ")} in PyTorch`,
      );
      log(`seed ${seed}, PyTorch: the losses of the first ${ours.length} steps agree to ${Math.max(...differences).toExponential(1)}`);
      continue;
    }
    curve.push(line);
    log(`seed ${seed}, PyTorch, epoch ${curve.length}: loss ${line.loss.toFixed(4)}, accuracy ${line.accuracy.toFixed(4)}`);
  }
  requireCheck(curve.length === recipe.epochs, `PyTorch ended after ${curve.length} of ${recipe.epochs} epochs`);
  return curve;
}

/** Our losses of the first steps, as PyTorch tells its own: the first rows in their order, nothing varied, at a hundredth of the rate. */
async function firstLosses({ model, train, recipe, threads }: Run, steps: number): Promise<readonly number[]> {
  const losses: number[] = [];
  const rows = feedsOfRows(
    tensorFeeds(train),
    Uint32Array.from({ length: steps * recipe.batch }, (_, row) => row),
  );
  await fitOurs(threads, {
    model,
    loss: softmaxCrossEntropy(),
    optimizer: optimizerOf(cautious(recipe).optimizer),
    train: () => feedBatches(rows, { batchSize: recipe.batch }),
    epochs: 1,
    onEvent(event) {
      if (event.kind === "step") losses.push(event.loss);
    },
  });
  return losses;
}

async function fitOurs(threads: number, options: Omit<FitOptions, "backend">): Promise<void> {
  const backend = await openOnnxRuntime({ threads });
  try {
    await fit({ ...options, backend });
  } finally {
    await backend.dispose();
  }
}
