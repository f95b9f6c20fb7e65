import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import {
  fit,
  linear,
  meanSquaredError,
  memoryCheckpoints,
  recordNumbers,
  sgd,
  tensor,
  tensorBatches,
  type Checkpoint,
  type FitOptions,
} from "../../core/index.ts";
import { csvFile, tensorBoardFiles } from "./log-files.ts";

const run = promisify(execFile);
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-logs-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function plan(): FitOptions {
  const features = tensor(
    "float32",
    [12, 2],
    Array.from({ length: 24 }, (_, i) => Math.sin(i)),
  );
  const labels = tensor(
    "float32",
    [12, 1],
    Array.from({ length: 12 }, (_, i) => Math.cos(i)),
  );
  return {
    model: linear({ width: 2, head: { task: "regression" } }),
    backend: openReference(),
    loss: meanSquaredError(),
    optimizer: sgd({ learningRate: 0.1 }),
    train: tensorBatches({ features, labels }, { batchSize: 4 }),
    validation: tensorBatches({ features, labels }, { batchSize: 12 }),
    epochs: 4,
  };
}

/** Stops a run after a step, and gives its checkpoint. */
async function stopped(atStep: number, options: FitOptions): Promise<Checkpoint> {
  const checkpoints = memoryCheckpoints();
  const controller = new AbortController();
  await fit({
    ...options,
    checkpoints,
    signal: controller.signal,
    onEvent: (event) => void (event.kind === "step" && event.step === atStep && controller.abort()),
  });
  return (await checkpoints.load("last")) ?? expect.fail("nothing was saved");
}

test("a table of epochs is written line by line, and a resumed run leaves the file of a run without a break", async () => {
  const [whole, broken] = [join(folder, "whole.csv"), join(folder, "logs", "broken.csv")];
  const { history } = await fit({ ...plan(), callbacks: [csvFile(whole)] });
  const lines = (await readFile(whole, "utf8")).trimEnd().split("\n");
  expect(lines[0]).toBe("epoch,step,rows,loss,learningRate,validation.loss,validation.rmse,validation.mae");
  expect(lines).toHaveLength(5);
  expect(lines[1]?.split(",").map(Number).slice(3)).toEqual(Object.values(recordNumbers(history[0]!)));

  const checkpoint = await stopped(7, { ...plan(), callbacks: [csvFile(broken)] });
  await fit({ ...plan(), callbacks: [csvFile(broken)], resume: checkpoint }); // the whole of it
  await fit({ ...plan(), callbacks: [csvFile(broken)], resume: checkpoint }); // again: what came after the checkpoint is written anew, not twice
  expect(await readFile(broken, "utf8")).toBe(await readFile(whole, "utf8"));
  await rm(broken);
  await expect(fit({ ...plan(), callbacks: [csvFile(broken)], resume: checkpoint })).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
});

test(
  "TensorBoard reads what is written: scalars by step, histograms of weights, and a resumed run without doubled steps",
  { timeout: 60_000 },
  async (context) => {
    const python = process.env["ESPALIER_PYTHON"] ?? "python3";
    const read = async (): Promise<{
      skipped?: string;
      scalars: Record<string, [number, number][]>;
      histograms: Record<string, { step: number; num: number }[]>;
    }> => JSON.parse((await run(python, [join(import.meta.dirname, "../../test/golden/read-tensorboard.py"), folder])).stdout) as never; // the script's own form
    const log = (): FitOptions => ({ ...plan(), callbacks: [tensorBoardFiles(folder, { everySteps: 1, histograms: true })] });
    await stopped(2, log()); // killed before its first checkpoint, say: it is begun anew
    const checkpoint = await stopped(4, log());
    const { history } = await fit({ ...log(), resume: { ...checkpoint } });
    const found = await read().catch(
      (error: unknown) => ({ skipped: `${python} cannot be run (${String(error)})`, scalars: {}, histograms: {} }) as never,
    );
    if (found.skipped !== undefined) {
      console.warn(`skipped: ${found.skipped}`); // shown by the runner
      context.skip(found.skipped); // throws
    }
    const losses = found.scalars["batch/loss"]!;
    expect(losses.map(([step]) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(found.scalars["epoch/validation.rmse"]!.map(([step]) => step)).toEqual([3, 6, 9, 12]);
    found.scalars["epoch/loss"]!.forEach(([, value], i) => expect(value).toBeCloseTo(history[i]!.loss, 6));
    expect(found.histograms["weights/dense/kernel"]!.map(({ step, num }) => [step, num])).toEqual([3, 6, 9, 12].map((step) => [step, 2]));
  },
);
