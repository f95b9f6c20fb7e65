import { describe, expect, it } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import type { Column, Columns } from "../columns.ts";
import { feedBatches } from "../data/feed-batches.ts";
import { rowSource } from "../data/row-source.ts";
import { decodePredictions } from "../features/decode.ts";
import { knownWindows, lastWindows } from "../features/forecast.ts";
import { transformFeatures } from "../features/transform.ts";
import { tensor, toNumbers } from "../tensor.ts";
import { prepareSeries } from "./prepare-series.ts";
import { trainTable } from "./train-table.ts";

const count = 200;
const wave = (i: number): number => 10 + 5 * Math.sin((2 * Math.PI * i) / 8) + 0.02 * i;

/** A wave of period 8 with a slow trend, its rows shuffled; beside it the value of a week before, and a text. */
function table({ y = wave }: { readonly y?: (i: number) => number } = {}): Columns {
  const order = Array.from({ length: count }, (_, i) => (i * 77) % count); // 77 and 200 have no common divisor
  return {
    length: count,
    columns: new Map<string, Column>([
      ["day", { kind: "number", values: Float64Array.from(order) }],
      ["y", { kind: "number", values: Float64Array.from(order, y) }],
      ["x", { kind: "number", values: Float64Array.from(order, (i) => Math.cos(i)) }],
      ["note", { kind: "string", codes: Int32Array.from(order, (i) => i % 2), dictionary: ["a", "b"] }],
    ]),
  };
}

const options = { target: "y", seed: 1, series: { time: "day", horizon: 3, window: 16 } } as const;

describe("prepareSeries", () => {
  it("makes windows of past values and what came next, in the order of time", async () => {
    const prepared = await prepareSeries(rowSource(table()), options);
    const { features } = prepared.features;
    expect(features.map(({ kind, column }) => `${kind} ${column}`)).toEqual(["series y", "series x"]);
    expect(prepared.leftOut).toEqual([{ column: "note", reason: "it is text: forecasts are made from numbers" }]);
    const feeds = await prepared.feeds.train.feedsAt(Uint32Array.of(0, 5));
    expect(feeds["series"]?.shape).toEqual([2, 16, 2]);
    const [first] = features;
    if (first?.kind !== "series") throw new Error("expected a series");
    const value = (place: number): number => Number(feeds["series"]?.data[place]) * first.standardDeviation + first.mean;
    expect(value(0)).toBeCloseTo(wave(0), 4); // window 0 begins at day 0
    expect(value(16 * 2)).toBeCloseTo(wave(5), 4); // window 5 at day 5
    const label = Number(feeds["labels"]?.data[3]) * first.standardDeviation + first.mean;
    expect(label).toBeCloseTo(wave(5 + 16), 4); // the day after window 5
  });

  it("learns nothing from the future: training windows, scaling, season and window stay the same whatever comes after the cut", async () => {
    const plain = { ...options, series: { time: "day", horizon: 3 } };
    const a = await prepareSeries(rowSource(table()), plain);
    const b = await prepareSeries(rowSource(table({ y: (i) => (i < 140 ? wave(i) : 1e6 + i * i) })), plain);
    expect(b.features).toEqual(a.features);
    expect(b.series).toEqual(a.series);
    expect(b.feeds.train.rows).toBe(a.feeds.train.rows);
    for await (const feeds of feedBatches(b.feeds.train, { batchSize: 1000 })) {
      for await (const others of feedBatches(a.feeds.train, { batchSize: 1000 })) expect(feeds).toEqual(others);
    }
    // 140 training days of windows of 16 (two seasons) and 3 ahead; the test's first forecast is of day 170.
    expect(a.series).toMatchObject({ window: 16, horizon: 3 });
    expect([a.feeds.train.rows, a.feeds.validation.rows, a.feeds.test.rows]).toEqual([140 - 16 - 3 + 1, 30 - 3 + 1, 30 - 3 + 1]);
  });

  it("reports what costs nothing: as now, and as a season ago", async () => {
    const { baselines } = await prepareSeries(rowSource(table()), options);
    // A season ago the wave was the same, but for the trend of 8 days: 0.16.
    expect(Object.keys(baselines ?? {})).toEqual(["last-value", "seasonal-naive (8)"]);
    expect(baselines?.["seasonal-naive (8)"]?.["rmse"]).toBeCloseTo(0.16, 6);
    const errors = Array.from({ length: 28 }, (_, i) => [1, 2, 3].map((step) => wave(169 + i) - wave(169 + i + step))).flat();
    expect(baselines?.["last-value"]?.["rmse"]).toBeCloseTo(Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length), 5);
  });

  it("leaves out windows whose future has a gap, and closes gaps in the past", async () => {
    const gap = await prepareSeries(rowSource(table({ y: (i) => (i === 60 ? NaN : wave(i)) })), options);
    expect(gap.feeds.train.rows).toBe(140 - 16 - 3 + 1 - 3); // three windows forecast day 60
    expect(gap.droppedRows).toBe(1);
    for await (const feeds of feedBatches(gap.feeds.train, { batchSize: 1000 }))
      expect(toNumbers(feeds["series"]!).every(Number.isFinite)).toBe(true);
  });

  it("refuses text, classes, and windows that the rows are too few for", async () => {
    await expect(prepareSeries(rowSource(table()), { ...options, target: "note" })).rejects.toThrow(
      /target column "note" holds text; a forecast is made of numbers/,
    );
    await expect(prepareSeries(rowSource(table()), { ...options, task: "classification" })).rejects.toMatchObject({ code: "TARGET_INVALID" });
    await expect(prepareSeries(rowSource(table()), { ...options, series: { time: "day", horizon: 40 } })).rejects.toThrow(
      /200 rows are too few for windows of 35 rows and forecasts of 40: none is left for validation/,
    );
    await expect(prepareSeries(rowSource(table()), { ...options, series: { time: "dya" } })).rejects.toThrow(/no column "dya"; did you mean "day"/);
  });
});

describe("a forecaster", () => {
  it("beats both baselines on a wave, and answers alike from windows of a table and from its feeds", async () => {
    const backend = openReference();
    const { table: prepared, best } = await trainTable(table(), { ...options, model: "linear", backend });
    for (const { rmse } of Object.values(prepared.baselines ?? {})) expect(best.test["rmse"]).toBeLessThan(rmse ?? 0);
    const { series, features, target } = prepared;
    if (series === undefined) throw new Error("expected a series");
    const executable = await backend.compile(best.model.graph, { state: best.model.state });
    const last = lastWindows(table(), { features, target, series });
    expect(last.length).toBe(1);
    const answer = decodePredictions(target, await executable.run(transformFeatures(features, last)));
    if (answer.task !== "regression") throw new Error("expected a regression");
    expect(answer.horizon).toBe(3);
    for (const [i, value] of answer.values.entries()) expect(Math.abs(value - wave(200 + i))).toBeLessThan(0.5);
    const known = knownWindows(table(), { features, target, series });
    expect(known.length).toBe(200 - 16 - 3 + 1);
    const { series: fromTable } = transformFeatures(features, known);
    const fromFeeds = await prepared.feeds.train.feedsAt(Uint32Array.of(0));
    for (let i = 0; i < 32; i++) expect(Number(fromTable?.data[i])).toBeCloseTo(Number(fromFeeds["series"]?.data[i]), 5);
    await executable.dispose();
    await backend.dispose();
  });

  it("without having learned anything answers as now", async () => {
    const backend = openReference();
    const { networks } = (await import("./networks/series.ts")).seriesNetworks;
    const features = [
      { kind: "series", column: "y", window: 4, mean: 0, standardDeviation: 1 } as const,
      { kind: "series", column: "x", window: 4, mean: 0, standardDeviation: 1 } as const,
    ];
    const model = networks.linear({ features: { features }, head: { task: "regression", units: 2 }, rows: 10, seed: 1 });
    const executable = await backend.compile(model.graph, { state: model.state });
    const { prediction } = await executable.run({ series: tensor("float32", [1, 4, 2], [1, 50, 2, 60, 3, 70, 4, 80]) });
    expect(prediction).toEqual({ dtype: "float32", shape: [1, 2], data: Float32Array.of(4, 4) });
    await executable.dispose();
    await backend.dispose();
  });
});
