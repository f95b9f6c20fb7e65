import { afterAll, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { createBundle, createPredictor, decodeBundle, encodeBundle, inputFields, trainTable, type InputField } from "../index.ts";
import { columnsFromRows } from "../data/columns-from-rows.ts";
import { profileColumns } from "../data/profile.ts";
import type { Column, Columns } from "../columns.ts";
import { dateStatistics, mergeDates, fitDate } from "./date.ts";
import { fitFeatures } from "./fit.ts";
import { inferFeatures } from "./infer.ts";
import { featureWidth, transformFeatures } from "./transform.ts";

const backend = openReference();
afterAll(() => backend.dispose());

function texts(...values: readonly (string | undefined)[]): Column {
  const dictionary = [...new Set(values.filter((value) => value !== undefined))];
  return { kind: "string", codes: Int32Array.from(values, (value) => (value === undefined ? -1 : dictionary.indexOf(value))), dictionary };
}
const text = (name: string): InputField => ({ name, kind: "string", shape: [], optional: false });
const table = (column: Column, length: number): Columns => ({ length, columns: new Map([["when", column]]) });

test("a time becomes days from the mean, and its month and day of the week by a calendar's word", async () => {
  // 25 November 2026 is a Wednesday, 29 February 2000 a Tuesday.
  const columns = table(texts("2026-11-25", "2000-02-29", undefined), 3);
  const fitted = await fitFeatures([{ kind: "date", column: "when" }], [columns]);
  expect(fitted.features[0]).toMatchObject({ kind: "date", missing: true, parts: ["month", "weekday"] });
  expect(featureWidth(fitted)).toBe(2 + 12 + 7);
  const { features } = transformFeatures(fitted, columns);
  const rows = [0, 1, 2].map((row) => [...(features?.data ?? [])].slice(21 * row, 21 * row + 21));
  const places = rows.map((row) => row.flatMap((value, place) => (place > 0 && value === 1 ? [place] : [])));
  expect(places).toEqual([[2 + 10, 2 + 12 + 3], [2 + 1, 2 + 12 + 2], [1]]);
  expect(rows.map(([first]) => first)).toEqual([1, -1, 0]); // two values are one deviation from their mean
});

test("hours are told apart where there are any, in UTC, and parts of a table add up to the whole", () => {
  const morning = texts("2026-11-25T08:30:00Z", "2026-11-25 08:59");
  const evening = texts("2026-11-25T22:00:00+02:00");
  const whole = texts("2026-11-25T08:30:00Z", "2026-11-25 08:59", "2026-11-25T22:00:00+02:00");
  expect(fitDate("when", dateStatistics(morning, "when")).parts).toEqual([]);
  const merged = mergeDates(dateStatistics(morning, "when"), dateStatistics(evening, "when"));
  expect(merged.seen).toEqual({ month: 2 ** 10, weekday: 2 ** 3, hour: 2 ** 8 + 2 ** 20 });
  const [a, b] = [fitDate("when", merged), fitDate("when", dateStatistics(whole, "when"))];
  expect(a.mean).toBeCloseTo(b.mean, 9);
  expect({ ...a, mean: 0, standardDeviation: 0 }).toEqual({ ...b, mean: 0, standardDeviation: 0 });
});

test("a column is a date when every value is a time, though each is different, and text when one is none", async () => {
  const days = Array.from({ length: 40 }, (_, i) => new Date(Date.UTC(2026, 0, 1 + i)).toISOString().slice(0, 10));
  const kinds = async (values: readonly string[]): Promise<unknown> =>
    inferFeatures(await profileColumns([table(texts(...values), values.length)]), "y").specs.map(({ kind }) => kind);
  expect(await kinds(days)).toEqual(["date"]);
  expect(await kinds([...days, "soon"])).toEqual([]);
});

test("what depends on the day of the week is learned, and a bundle tells it for a date that it has never seen", { timeout: 60_000 }, async () => {
  const dayOf = (i: number): Date => new Date(Date.UTC(2025, 0, 1 + i));
  const rows = Array.from({ length: 400 }, (_, i) => ({
    when: dayOf(i).toISOString().slice(0, 10),
    open: dayOf(i).getUTCDay() % 6 === 0 ? "closed" : "open",
  }));
  const { table: prepared, best } = await trainTable(columnsFromRows(rows, [text("when"), text("open")]), { target: "open", seed: 1, backend });
  expect(best.test["accuracy"]).toBe(1); // always "open" has 0.71
  const bundle = createBundle({
    name: "opening",
    createdAt: "2026-01-01T00:00:00Z",
    model: best.model,
    features: prepared.features,
    target: prepared.target,
    inputs: inputFields(prepared.features, prepared.profile),
    example: prepared.example,
    metrics: best.test,
    lineage: { seed: 1, data: { fingerprint: "-", rows: 400, source: "test" } },
    environment: {},
  });
  const predictor = await createPredictor(await decodeBundle(await encodeBundle(bundle)), backend);
  const asked = columnsFromRows([{ when: "2027-01-02" }, { when: "2027-01-04" }], predictor.manifest.inputs); // a Saturday and a Monday
  expect(await predictor.predict(asked)).toMatchObject({ classes: ["closed", "open"], labels: Int32Array.of(0, 1) });
  await expect(predictor.predict(columnsFromRows([{ when: "tomorrow" }], predictor.manifest.inputs))).rejects.toMatchObject({
    code: "COLUMN_TYPE",
    message: expect.stringContaining('column "when", row 1: "tomorrow" is not a time'),
  });
  await predictor.dispose();
});
