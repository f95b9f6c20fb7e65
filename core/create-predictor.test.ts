import { expect, it } from "vitest";
import { openReference } from "../backends/reference/index.ts";
import { createBundle } from "./bundle/bundle.ts";
import type { Column, Columns } from "./columns.ts";
import { createPredictor } from "./create-predictor.ts";
import { sliceRows } from "./data/rows.ts";
import { evaluatePredictions } from "./evaluation/index.ts";
import { exampleRow, inputFields } from "./features/input-fields.ts";
import { trainTable, type TrainedTable } from "./pipeline/train-table.ts";
import { Random } from "./random.ts";

function table(rows: number): Columns {
  const random = new Random(5);
  const x = Float64Array.from({ length: rows }, () => random.uniform(-1, 1));
  const colour = Int32Array.from({ length: rows }, () => random.integer(2));
  return {
    length: rows,
    columns: new Map<string, Column>([
      ["x", { kind: "number", values: x }],
      ["colour", { kind: "string", codes: colour, dictionary: ["red", "blue"] }],
      ["y", { kind: "number", values: x.map((value, i) => 3 * value + (colour[i] ?? 0) + 0.01 * random.normal()) }],
      ["big", { kind: "string", codes: Int32Array.from(x, (value) => (value > 0 ? 0 : 1)), dictionary: ["yes", "no"] }],
    ]),
  };
}

const bundleOf = ({ table: prepared, best }: TrainedTable): ReturnType<typeof createBundle> =>
  createBundle({
    name: "test",
    model: best.model,
    features: prepared.features,
    target: prepared.target,
    inputs: inputFields(prepared.features, prepared.profile),
    example: exampleRow(prepared.features, prepared.parts.train),
    metrics: best.test,
    lineage: { seed: 1, data: { fingerprint: "", rows: 0, source: "" } },
    environment: {},
    createdAt: "2026-01-01T00:00:00.000Z",
  });

it.each(["y", "big"])("answers as training's evaluation did, for a target like %s, however many rows come at once", async (target) => {
  const backend = openReference();
  const trained = await trainTable(table(600), { target, seed: 1, backend, epochs: 3 });
  const predictor = await createPredictor(bundleOf(trained), backend);
  const { test } = trained.table.parts;
  const metrics = evaluatePredictions(trained.table.target, { predictions: await predictor.predict(test), columns: test });
  for (const [name, value] of Object.entries(trained.best.test))
    expect(Math.abs(metrics[name]! - value)).toBeLessThanOrEqual(1e-5 * (1 + Math.abs(value)));

  const many = table(2500);
  const whole = await predictor.predict(many);
  const one = await predictor.predict(sliceRows(many, 0, 1));
  if (whole.task === "regression" && one.task === "regression") {
    expect(whole.values).toHaveLength(2500);
    expect(one.values[0]).toBeCloseTo(whole.values[0]!, 5);
  } else if (whole.task === "classification" && one.task === "classification") {
    expect(whole.probabilities).toHaveLength(5000);
    expect(one.probabilities[0]).toBeCloseTo(whole.probabilities[0]!, 5);
  }
  await predictor.dispose();
  await predictor.dispose();
  await expect(predictor.predict(test)).rejects.toThrow(/was disposed/);
  await backend.dispose();
});

it("refuses no rows, and stops when it is told to", async () => {
  const backend = openReference();
  const trained = await trainTable(table(100), { target: "big", seed: 1, backend, epochs: 1, model: "linear" });
  const predictor = await createPredictor(bundleOf(trained), backend);
  await expect(predictor.predict({ length: 0, columns: new Map() })).rejects.toMatchObject({ code: "DATA_EMPTY" });
  await expect(predictor.predict(table(10), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
  await predictor.dispose();
  await backend.dispose();
});
