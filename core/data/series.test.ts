import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Column, Columns } from "../columns.ts";
import { Random } from "../random.ts";
import { findSeason } from "./find-season.ts";
import { parseTime, parseTimes } from "./parse-time.ts";
import { fillForward, orderSeries, windowColumn, windowEnds } from "./series.ts";

const texts = (...values: readonly string[]): Column => ({ kind: "string", codes: Int32Array.from(values.keys()), dictionary: values });
const numbers = (...values: readonly number[]): Column => ({ kind: "number", values: Float64Array.from(values) });
const table = (columns: Readonly<Record<string, Column>>, length: number): Columns => ({ length, columns: new Map(Object.entries(columns)) });

describe("parseTime", () => {
  it("reads what the platform's own ISO parser reads, to the millisecond", () => {
    fc.assert(
      fc.property(fc.date({ min: new Date("1600-01-01"), max: new Date("2600-01-01"), noInvalidDate: true }), (date) => {
        expect(parseTime(date.toISOString())).toBe(date.getTime());
      }),
    );
    expect(parseTime("2012-01-31T05:06:07+02:00")).toBe(Date.parse("2012-01-31T05:06:07+02:00"));
    expect(parseTime("2012/1/31 05:06")).toBe(Date.UTC(2012, 0, 31, 5, 6));
    expect(parseTime("2012-03")).toBe(Date.UTC(2012, 2, 1));
  });

  it("refuses what is no day, and ways of writing in which month and day could be mixed up", () => {
    for (const text of ["2012-02-31", "2012-13-01", "1/2/2012", "2012-01-01T24:00", "yesterday", ""]) expect(parseTime(text)).toBeUndefined();
    expect(() => parseTimes(texts("2012-01-01", "1/2/2012"), "date")).toThrow(
      /time column "date", row 2: "1\/2\/2012" is not a time from year to second/,
    );
    expect(() => parseTimes(numbers(1, NaN), "t")).toThrow(/row 2: the time is missing/);
  });
});

describe("orderSeries", () => {
  const rows = table(
    { date: texts("2020-01-03", "2020-01-01", "2020-01-02", "2020-01-01"), shop: texts("b", "b", "a", "a2"), y: numbers(3, 1, 20, 10) },
    4,
  );

  it("puts rows in the order of time, series by series", () => {
    const { columns, groups } = orderSeries(rows, { time: "date", group: "shop" });
    expect(columns.columns.get("y")).toEqual(numbers(20, 10, 1, 3));
    expect(groups).toEqual([
      { name: "a", start: 0, end: 1 },
      { name: "a2", start: 1, end: 2 },
      { name: "b", start: 2, end: 4 },
    ]);
  });

  it("refuses two rows of one time, and says what to do", () => {
    expect(() => orderSeries(rows, { time: "date" })).toThrow(
      /rows 2 and 4 have the same time 2020-01-01; when the table holds several series.*--group/,
    );
    const twice = table({ date: texts("2020-01-01", "2020-01-01"), shop: texts("a", "b") }, 2);
    expect(() =>
      orderSeries(table({ ...Object.fromEntries(twice.columns), shop: { kind: "string", codes: Int32Array.of(0, 0), dictionary: ["a"] } }, 2), {
        time: "date",
        group: "shop",
      }),
    ).toThrow(/same time 2020-01-01 in series "a"; leave one out/);
  });

  it("closes gaps with the value before, inside a series only", () => {
    const ordered = orderSeries(
      table(
        {
          t: numbers(1, 2, 3, 1, 2),
          shop: { kind: "string", codes: Int32Array.of(0, 0, 0, 1, 1), dictionary: ["a", "b"] },
          y: numbers(NaN, 5, NaN, NaN, 7),
        },
        5,
      ),
      {
        time: "t",
        group: "shop",
      },
    );
    expect(fillForward(ordered, "y")).toEqual(Float64Array.of(NaN, 5, 5, NaN, 7));
  });

  it("cuts windows that never reach over the end of a series", () => {
    const ordered = orderSeries(
      table({ t: numbers(1, 2, 3, 4, 1, 2), shop: { kind: "string", codes: Int32Array.of(0, 0, 0, 0, 1, 1), dictionary: ["a", "b"] } }, 6),
      { time: "t", group: "shop" },
    );
    expect([...windowEnds(ordered, { window: 2 })]).toEqual([1, 2, 3, 5]);
    expect([...windowEnds(ordered, { window: 2, ahead: 1 })]).toEqual([1, 2]);
    const values = Float64Array.of(10, 11, 12, 13, 20, 21);
    expect(windowColumn(values, [1, 5], { from: -1, length: 2 })).toEqual({ kind: "tensor", shape: [2], values: Float32Array.of(10, 11, 20, 21) });
    expect(windowColumn(values, [1], { from: 1, length: 2 })).toEqual({ kind: "tensor", shape: [2], values: Float32Array.of(12, 13) });
  });
});

describe("findSeason", () => {
  const random = new Random(11);

  it.each([7, 12, 24, 52])("finds a period of %i, with a trend and noise", (period) => {
    const values = Array.from({ length: 10 * period }, (_, i) => Math.sin((2 * Math.PI * i) / period) + 0.05 * i + 0.3 * random.normal());
    expect(findSeason(values)).toBe(period);
  });

  it("finds none where nothing repeats: a line, noise, and what drifts", () => {
    expect(findSeason(Array.from({ length: 200 }, (_, i) => i))).toBe(1);
    expect(findSeason(random.normals(500))).toBe(1);
    let level = 0;
    expect(findSeason(Array.from({ length: 500 }, () => (level = 0.9 * level + random.normal())))).toBe(1);
    expect(findSeason([])).toBe(1);
  });
});
