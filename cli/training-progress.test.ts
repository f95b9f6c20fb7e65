import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { TrainingEvent } from "../core/index.ts";
import type { Output } from "./output.ts";
import { trainingProgress } from "./training-progress.ts";

function listener(): { readonly tell: (event: TrainingEvent) => void; readonly lines: string[] } {
  const lines: string[] = [];
  const note = (text = ""): void => void lines.push(stripVTControlCharacters(text));
  const output: Output = { line: note, detail: note, note, status: () => false, result: () => undefined };
  return { tell: trainingProgress("network", output), lines };
}

test("an epoch's line has the speed of this call's steps, after a break too", () => {
  const { tell, lines } = listener();
  const common = { epochs: 100, epoch: 90, step: 900, loss: 0.5, learningRate: 0.1 };
  tell({ kind: "start", backend: "reference", device: "here", parameters: 3, rows: 1000, epochs: 100, step: 890 });
  tell({ kind: "step", ...common, rows: 1000, rowsPerEpoch: 1000, rowsPerSecond: 2000, remainingMs: 5000 });
  const record = { epoch: 90, step: 900, rows: 1000, loss: 0.5, learningRate: 0.1, validation: undefined };
  tell({ kind: "epoch", record, epochs: 100, best: true, elapsedMs: 500 });
  expect(lines.at(-1)).toBe("  epoch 90/100  loss 0.5  2000 rows/s  ETA 00:05");
});
