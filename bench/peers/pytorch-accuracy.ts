import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Model, Tensors } from "../../core/index.ts";
import { cautious, parametersOf, type AccuracySubject, type Recipe } from "../subjects/index.ts";
import { pytorchEnvironment, writeTensors } from "./pytorch.ts";

/** What PyTorch trains, on what. */
export interface PytorchRun {
  /** Where both systems start. */
  readonly model: Model;
  readonly pytorch: AccuracySubject["pytorch"];
  readonly train: Tensors;
  readonly test: Tensors;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly threads: number;
}

/** What PyTorch says: the losses of its first steps on the first rows in their order, without augmentation, from the given weights at a hundredth of the rate; then one line an epoch. */
export type PytorchLine = { readonly firstLosses: readonly number[] } | { readonly loss: number; readonly accuracy: number };

/** Trains with PyTorch in a process of its own, and tells its lines as they come. @throws Error when the process ends with a failure */
export async function* trainPytorch(python: string, { model, pytorch, train, test, recipe, seed, threads }: PytorchRun): AsyncGenerator<PytorchLine> {
  const folder = await mkdtemp(join(tmpdir(), "espalier-accuracy-"));
  let child: ChildProcess | undefined;
  try {
    const tensors = [train["x"], train["labels"], test["x"], test["labels"], ...Object.values(parametersOf(model))];
    await writeTensors(
      folder,
      tensors.filter((value) => value !== undefined),
      { ...pytorch, ...recipe, firstOptimizer: cautious(recipe).optimizer, seed },
    );
    const script = join(import.meta.dirname, "pytorch_accuracy.py");
    const started = spawn(python, [script, folder, String(threads)], { env: pytorchEnvironment(threads), stdio: ["ignore", "pipe", "inherit"] });
    child = started;
    const ended = new Promise<number | null>((resolve, reject) => started.once("error", reject).once("exit", resolve));
    for await (const line of createInterface({ input: started.stdout })) yield JSON.parse(line) as PytorchLine; // what the script prints
    const code = await ended;
    if (code !== 0) throw new Error(`pytorch_accuracy.py ended with ${code}`);
  } finally {
    child?.kill(); // when nobody reads on
    await rm(folder, { recursive: true, force: true });
  }
}
