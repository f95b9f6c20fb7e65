import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { spawn } from "node:child_process";
import { adam, cosineSchedule, fit, softmaxCrossEntropy, tensorBatches, type Model, type Tensors } from "../core/index.ts";
import { openOnnxRuntime } from "../backends/onnxruntime/index.ts";
import { requireCheck, type Bench, type BenchContext, type BenchResult } from "./bench.ts";
import { curvesSvg, type Curve } from "./curves.ts";
import { fashionMnist, fashionMnistFolder } from "./fashion-mnist.ts";
import { findPython, pytorchEnvironment, writeTensors } from "./peers/pytorch.ts";
import { accuracySubject } from "./subjects/accuracy.ts";

/** Points of accuracy that the means may be apart. */
const tolerance = 0.005;

/**
 * A network learns Fashion-MNIST here and in PyTorch: the same first weights, recipe and number of epochs, each system's own shuffles. The ratio is of the accuracies on the
 * 10,000 test images, the mean of the seeds.
 *
 * Flags: --network=lenet|resnet18, --epochs, --seeds, --batch, --threads, --peer=no (ours alone), --curves=<file.svg> (a chart, and the numbers beside it as JSON).
 */
export const bench: Bench = {
  name: "accuracy",
  description: "accuracy on Fashion-MNIST after the same recipe, against PyTorch",
  async run(context) {
    const { flags, log } = context;
    const folder = fashionMnistFolder(flags.get("data"));
    if (!existsSync(folder)) {
      log(`skipped: no Fashion-MNIST in ${folder}; install Debian's dataset-fashion-mnist or give its folder as --data=`);
      return { ratios: {}, spread: {}, checks: { skipped: "no data" } };
    }
    return compare(await fashionMnist(folder), context);
  },
};

/** One epoch of one run. */
interface Epoch {
  readonly loss: number;
  readonly accuracy: number;
}

interface Recipe {
  readonly network: string;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly threads: number;
}

const learningRate = 0.001;
/** Before the correction of the bias, as ONNX has it; PyTorch adds it after: too small to matter. */
const epsilon = 1e-8;

async function compare(data: { readonly train: Tensors; readonly test: Tensors }, { flags, log }: BenchContext): Promise<BenchResult> {
  const recipe: Recipe = {
    network: flags.get("network") ?? "lenet",
    epochs: Number(flags.get("epochs") ?? 6),
    batch: Number(flags.get("batch") ?? 128),
    learningRate,
    threads: Number(flags.get("threads") ?? availableParallelism()),
  };
  const seeds = Array.from({ length: Number(flags.get("seeds") ?? 3) }, (_, seed) => seed);
  const python = flags.get("peer") === "no" ? undefined : findPython();
  if (python === undefined) log("without PyTorch: run `npm run bench:setup` to compare with it");
  const curves: SeedCurves[] = [];
  for (const seed of seeds) {
    const model = accuracySubject(recipe.network, seed);
    const ours = await trainOurs(model, { data, recipe, seed, log });
    const pytorch = python === undefined ? undefined : await trainPytorch(python, model, { data, recipe, seed, log });
    curves.push({ seed, ours, pytorch });
  }
  const file = flags.get("curves");
  if (file !== undefined) await writeCurves(file, recipe, curves);
  const last = (epochs: readonly Epoch[] | undefined): number => epochs?.at(-1)?.accuracy ?? NaN;
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const ours = mean(curves.map((curve) => last(curve.ours)));
  const theirs = mean(curves.map((curve) => last(curve.pytorch)));
  const what = `Fashion-MNIST accuracy, ${recipe.network}, ${recipe.epochs} epochs`;
  if (python !== undefined) requireCheck(ours >= theirs - tolerance, `${what}: ${ours} here, ${theirs} in PyTorch`);
  const ratios = curves.map((curve) => last(curve.ours) / last(curve.pytorch));
  return {
    ratios: python === undefined ? {} : { [`${what} vs PyTorch`]: ours / theirs },
    spread: python === undefined ? {} : { [`${what} vs PyTorch`]: [Math.min(...ratios), Math.max(...ratios)] },
    checks: { recipe, mean: { ours, ...(python !== undefined && { pytorch: theirs }) }, curves },
  };
}

/** What one seed gave. */
interface SeedCurves {
  readonly seed: number;
  readonly ours: readonly Epoch[];
  readonly pytorch: readonly Epoch[] | undefined;
}

/** Writes the accuracies as a chart and as JSON. @param file the chart's, ending in .svg */
async function writeCurves(file: string, recipe: Recipe, curves: readonly SeedCurves[]): Promise<void> {
  const line = (name: string, epochs: readonly Epoch[] = []): Curve => ({ name, values: epochs.map(({ accuracy }) => accuracy) });
  const lines = curves.flatMap(({ ours, pytorch }) => [line("Espalier", ours), ...(pytorch ? [line("PyTorch", pytorch)] : [])]);
  await writeFile(file, curvesSvg(`Fashion-MNIST, ${recipe.network}`, "accuracy on the 10,000 test images", lines));
  await writeFile(file.replace(/\.svg$/, ".json"), `${JSON.stringify({ recipe, curves }, undefined, 1)}\n`);
}

interface Run {
  readonly data: { readonly train: Tensors; readonly test: Tensors };
  readonly recipe: Recipe;
  readonly seed: number;
  readonly log: (line: string) => void;
}

async function trainOurs(model: Model, { data, recipe, seed, log }: Run): Promise<readonly Epoch[]> {
  const backend = await openOnnxRuntime({ threads: recipe.threads });
  const curve: Epoch[] = [];
  await fit({
    model,
    backend,
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate, epsilon }),
    schedule: cosineSchedule(),
    train: (shuffle) => tensorBatches(data.train, { batchSize: recipe.batch, shuffle }),
    validation: tensorBatches(data.test, { batchSize: 1000 }),
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
  await backend.dispose();
  return curve;
}

async function trainPytorch(python: string, { graph, state }: Model, { data, recipe, seed, log }: Run): Promise<readonly Epoch[]> {
  const folder = await mkdtemp(join(tmpdir(), "espalier-accuracy-"));
  try {
    const parameters = graph.state.flatMap(({ name, role }) => (role === "parameter" && state[name] !== undefined ? [state[name]] : []));
    const tensors = [data.train["x"], data.train["labels"], data.test["x"], data.test["labels"], ...parameters].filter(
      (value) => value !== undefined,
    );
    await writeTensors(folder, tensors, { ...recipe, epsilon, seed });
    const script = join(import.meta.dirname, "peers/pytorch_accuracy.py");
    const child = spawn(python, [script, folder, String(recipe.threads)], {
      env: pytorchEnvironment(recipe.threads),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const curve: Epoch[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      curve.push(JSON.parse(line) as Epoch);
      log(`seed ${seed}, PyTorch, epoch ${curve.length}: loss ${curve.at(-1)?.loss.toFixed(4)}, accuracy ${curve.at(-1)?.accuracy.toFixed(4)}`);
    }
    requireCheck(curve.length === recipe.epochs, `PyTorch ended after ${curve.length} of ${recipe.epochs} epochs`);
    return curve;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
