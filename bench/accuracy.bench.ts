import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { tensorFeeds, type Tensors } from "../core/index.ts";
import { trainOurs, trainPeer, type Epoch, type Run } from "./accuracy-run.ts";
import { requireCheck, type Bench, type BenchContext, type BenchResult } from "./bench.ts";
import { curvesSvg, type Curve } from "./curves.ts";
import { fashionMnist, fashionMnistFolder } from "./fashion-mnist.ts";
import { onceOnly } from "./finished-runs.ts";
import { findPython } from "./peers/pytorch.ts";
import { accuracySubject, type Recipe } from "./subjects/index.ts";

/** Points of accuracy that the means may be apart. */
const tolerance = 0.005;

/**
 * A network learns Fashion-MNIST here and in PyTorch: the same first weights, recipe and number of epochs, each system's own shuffles. The losses of the first steps, on the same
 * rows, must agree. The ratio is of the accuracies on the 10,000 test images, the mean of the seeds.
 *
 * Flags: --network=lenet|resnet18|resnet18-width8, --epochs, --batch, --rows (of the training images) instead of the network's own; --seeds, --threads, --peer=no (ours alone),
 * --curves=<file.svg> (a chart, and the numbers beside it as JSON), --runs=<file> (finished runs, which are not done again).
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

/** What one seed gave. */
interface SeedCurves {
  readonly seed: number;
  readonly ours: readonly Epoch[];
  readonly pytorch: readonly Epoch[] | undefined;
}

async function compare(data: { readonly train: Tensors; readonly test: Tensors }, { flags, log }: BenchContext): Promise<BenchResult> {
  const network = flags.get("network") ?? "lenet";
  const subject = accuracySubject(network);
  const recipe = recipeOf(subject.recipe, flags);
  const { images = (tensors) => tensors } = subject;
  const setting = {
    subject,
    recipe,
    train: images(await firstRows(data.train, recipe.rows)),
    test: images(data.test),
    threads: Number(flags.get("threads") ?? availableParallelism()),
    log,
  };
  const python = flags.get("peer") === "no" ? undefined : findPython();
  if (python === undefined) log("without PyTorch: run `npm run bench:setup` to compare with it");
  const runs = flags.get("runs");
  const curves: SeedCurves[] = [];
  for (let seed = 0; seed < Number(flags.get("seeds") ?? 3); seed += 1) {
    const run: Run = { ...setting, seed, model: subject.build(seed) };
    const what = { network, recipe, seed };
    const ours = await onceOnly(runs, { system: "Espalier", ...what }, () => trainOurs(run));
    const pytorch = python === undefined ? undefined : await onceOnly(runs, { system: "PyTorch", ...what }, () => trainPeer(python, run));
    curves.push({ seed, ours, pytorch });
  }
  const file = flags.get("curves");
  if (file !== undefined) await writeCurves(file, { network, data: subject.data, recipe, curves });
  const last = (epochs: readonly Epoch[] | undefined): number => epochs?.at(-1)?.accuracy ?? NaN;
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const ours = mean(curves.map((curve) => last(curve.ours)));
  const theirs = mean(curves.map((curve) => last(curve.pytorch)));
  const what = `${subject.data} accuracy, ${network}, ${recipe.epochs} epochs`;
  if (python !== undefined) requireCheck(ours >= theirs - tolerance, `${what}: ${ours} here, ${theirs} in PyTorch`);
  const ratios = curves.map((curve) => last(curve.ours) / last(curve.pytorch));
  return {
    ratios: python === undefined ? {} : { [`${what} vs PyTorch`]: ours / theirs },
    spread: python === undefined ? {} : { [`${what} vs PyTorch`]: [Math.min(...ratios), Math.max(...ratios)] },
    checks: { network, recipe, mean: { ours, ...(python !== undefined && { pytorch: theirs }) }, curves },
  };
}

/** A network's recipe with what the flags ask for instead. */
function recipeOf(recipe: Recipe, flags: BenchContext["flags"]): Recipe {
  const given = ["rows", "epochs", "batch"].flatMap((name) => (flags.has(name) ? [[name, Number(flags.get(name))]] : []));
  return { ...recipe, ...(Object.fromEntries(given) as Partial<Recipe>) }; // numbers, by their names
}

async function firstRows(tensors: Tensors, rows: number | undefined): Promise<Tensors> {
  if (rows === undefined) return tensors;
  return tensorFeeds(tensors).feedsAt(Uint32Array.from({ length: rows }, (_, row) => row));
}

/** Writes the accuracies as a chart and as JSON. @param file the chart's, ending in .svg */
async function writeCurves(
  file: string,
  {
    network,
    data,
    recipe,
    curves,
  }: { readonly network: string; readonly data: string; readonly recipe: Recipe; readonly curves: readonly SeedCurves[] },
): Promise<void> {
  const line = (name: string, epochs: readonly Epoch[] = []): Curve => ({ name, values: epochs.map(({ accuracy }) => accuracy) });
  const lines = curves.flatMap(({ ours, pytorch }) => [line("Espalier", ours), ...(pytorch ? [line("PyTorch", pytorch)] : [])]);
  await writeFile(file, curvesSvg(`${data}, ${network}`, "accuracy on the 10,000 test images", lines));
  await writeFile(file.replace(/\.svg$/, ".json"), `${JSON.stringify({ network, recipe, curves }, undefined, 1)}\n`);
}
