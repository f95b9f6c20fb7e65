import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Column, Columns } from "../columns.ts";
import { profileColumns } from "../data/profile.ts";
import { sliceRows } from "../data/rows.ts";
import type { FeatureSpec } from "./features.ts";
import { finishFeatures, fitFeatures } from "./fit.ts";
import { inferFeatures } from "./infer.ts";
import { exampleRow, inputFields } from "./input-fields.ts";
import { featureStatistics, mergeFeatureStatistics } from "./statistics.ts";
import { featureWidth, transformFeatures } from "./transform.ts";

const numbers = (...values: readonly number[]): Column => ({ kind: "number", values: Float64Array.from(values) });
const texts = (...values: readonly (string | undefined)[]): Column => {
  const dictionary = [...new Set(values.filter((value) => value !== undefined))];
  return { kind: "string", codes: Int32Array.from(values, (value) => (value === undefined ? -1 : dictionary.indexOf(value))), dictionary };
};
const table = (columns: Readonly<Record<string, Column>>, length: number): Columns => ({ length, columns: new Map(Object.entries(columns)) });

const specs: readonly FeatureSpec[] = [
  { kind: "number", column: "x" },
  { kind: "category", column: "c" },
];

describe("fitFeatures", () => {
  it("standardises numbers and keeps categories in the order of their code units", async () => {
    const columns = table({ x: numbers(2, 4, NaN, 6), c: texts("b", "a", undefined, "b") }, 4);
    const fitted = await fitFeatures(specs, [columns]);
    expect(fitted.features).toEqual([
      { kind: "number", column: "x", mean: 4, standardDeviation: Math.sqrt(8 / 3), missing: true },
      { kind: "category", column: "c", vocabulary: ["a", "b"] },
    ]);
    expect(featureWidth(fitted)).toBe(6);
    const { features } = transformFeatures(fitted, table({ x: numbers(4, NaN), c: texts("z", undefined) }, 2));
    //                                   x, missing, a, b, unknown, missing
    expect(features).toEqual({ dtype: "float32", shape: [2, 6], data: Float32Array.from([0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1]) });
  });

  it("learns the same from parts, merged in any grouping, as from the whole", async () => {
    const row = fc.record({
      x: fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constant(NaN)),
      c: fc.constantFrom("a", "b", "c", undefined),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 3, maxLength: 60 }), fc.nat(), fc.nat(), async (rows, first, second) => {
        const columns = table({ x: numbers(...rows.map(({ x }) => x)), c: texts(...rows.map(({ c }) => c)) }, rows.length);
        const [a, b] = [first % rows.length, second % rows.length].toSorted((left, right) => left - right) as [number, number]; // two of two
        const parts = [sliceRows(columns, 0, a), sliceRows(columns, a, b), sliceRows(columns, b, rows.length)].map((part) =>
          featureStatistics(specs, part),
        );
        const whole = await fitFeatures(specs, [columns]);
        for (const merged of [
          mergeFeatureStatistics(mergeFeatureStatistics(parts[0]!, parts[1]!), parts[2]!),
          mergeFeatureStatistics(parts[0]!, mergeFeatureStatistics(parts[1]!, parts[2]!)),
        ]) {
          const fitted = finishFeatures(specs, merged);
          for (const [i, feature] of fitted.features.entries()) {
            const expected = whole.features[i]!;
            if (feature.kind !== "number" || expected.kind !== "number") expect(feature).toEqual(expected);
            else {
              expect(Math.abs(feature.mean - expected.mean)).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(expected.mean)));
              expect(Math.abs(feature.standardDeviation - expected.standardDeviation)).toBeLessThanOrEqual(1e-7 * (1 + expected.standardDeviation));
              expect(feature.missing).toBe(expected.missing);
            }
          }
        }
      }),
    );
  });

  it("keeps variance of numbers far from zero, where sums of squares lose it", async () => {
    // 1e9 + {0, 1, 2}: variance 2/3, as by hand.
    const fitted = await fitFeatures([specs[0]!], [table({ x: numbers(1e9, 1e9 + 1, 1e9 + 2) }, 3)]);
    expect(fitted.features[0]).toMatchObject({ mean: 1e9 + 1, standardDeviation: Math.sqrt(2 / 3) });
  });

  it("does not divide by the deviation of a constant", async () => {
    const fitted = await fitFeatures([specs[0]!], [table({ x: numbers(0.1, 0.1, 0.1) }, 3)]);
    expect(fitted.features[0]).toMatchObject({ standardDeviation: 1 });
  });

  it("keeps the most frequent categories; rarer ones are unknown", async () => {
    const values = ["a", "a", "a", "a", "b", "b", "b", "c", "c", "d"];
    const fitted = await fitFeatures([{ kind: "category", column: "c", maxVocabulary: 2 }], [table({ c: texts(...values) }, values.length)]);
    expect(fitted.features[0]).toMatchObject({ vocabulary: ["a", "b"] });
  });

  it("refuses a specification that does not fit the table", async () => {
    const columns = table({ age: numbers(1), c: texts("a") }, 1);
    await expect(fitFeatures([{ kind: "number", column: "agee" }], [columns])).rejects.toThrow(/no column "agee"; did you mean "age"\?/);
    await expect(fitFeatures([{ kind: "number", column: "c" }], [columns])).rejects.toMatchObject({ code: "COLUMN_TYPE" });
    await expect(fitFeatures(specs, [])).rejects.toMatchObject({ code: "DATA_EMPTY" });
  });
});

describe("transformFeatures", () => {
  const fitted = {
    features: [
      { kind: "number", column: "x", mean: 1.3, standardDeviation: 0.7, missing: false },
      { kind: "category", column: "c", vocabulary: ["1", "2"] },
      { kind: "image", column: "i", shape: [1, 2, 2], scale: 1 / 16 },
    ],
  } as const;
  const image: Column = { kind: "tensor", shape: [4], values: Float32Array.from([0, 4, 8, 16]) };

  it("rounds once to float32 from float64: these very bits", () => {
    const { features } = transformFeatures(fitted, table({ x: numbers(0.1), c: texts("1"), i: image }, 1));
    expect((features!.data as Float32Array)[0]).toBe(Math.fround((0.1 - 1.3) / 0.7));
  });

  it("makes images inputs of their own", () => {
    const { i } = transformFeatures(fitted, table({ x: numbers(0), c: texts("1"), i: image }, 1));
    expect(i).toEqual({ dtype: "float32", shape: [1, 1, 2, 2], data: Float32Array.from([0, 0.25, 0.5, 1]) });
  });

  it("reads numbers that come as text and categories that come as numbers", () => {
    const { features } = transformFeatures(fitted, table({ x: texts("1.3"), c: numbers(2), i: image }, 1));
    expect(Array.from(features!.data as Float32Array)).toEqual([0, 0, 1, 0, 0]);
  });

  it.each([
    ["a missing column", { x: numbers(1), i: image }, "COLUMN_MISSING", /no column "c"/],
    ["text in a number", { x: texts("old"), c: texts("1"), i: image }, "COLUMN_TYPE", /column "x", row 1: holds "old", not a number/],
    ["infinity", { x: numbers(Infinity), c: texts("1"), i: image }, "COLUMN_TYPE", /column "x", row 1/],
    [
      "an image of another size",
      { x: numbers(1), c: texts("1"), i: { ...image, values: new Float32Array(3) } },
      "COLUMN_TYPE",
      /images of shape \[1, 2, 2\]/,
    ],
  ])("refuses %s", (_, columns, code, message) => {
    expect(() => transformFeatures(fitted, table(columns, 1))).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});

describe("inferFeatures", () => {
  const rows = 30;
  const range = Array.from({ length: rows }, (_, i) => i);
  const columns = table(
    {
      "": numbers(...range),
      PassengerId: numbers(...range.map((i) => 900 - 7 * i)),
      paid: numbers(...range.map((i) => 900 - 7 * i)),
      year: numbers(...range.map((i) => 1990 + i)),
      constant: numbers(...range.map(() => 3)),
      empty: texts(...range.map(() => undefined)),
      name: texts(...range.map((i) => `name ${i}`)),
      size: texts(...range.map((i) => (i % 3 === 0 ? "S" : "L"))),
      height: numbers(...range.map((i) => 1.5 + i / 100)),
      label: numbers(...range.map((i) => i % 2)),
    },
    rows,
  );

  it("uses numbers and categories and leaves out what cannot help, with a reason each", async () => {
    const { specs: found, leftOut } = inferFeatures(await profileColumns([columns]), "label", { ignore: ["year"] });
    expect(found.map(({ kind, column }) => `${kind} ${column}`)).toEqual(["number paid", "category size", "number height"]);
    expect(Object.fromEntries(leftOut.map(({ column, reason }) => [column, reason]))).toEqual({
      "": expect.stringContaining("row number"),
      PassengerId: expect.stringContaining("identifier"),
      year: "ignored as asked",
      constant: "it is constant (3)",
      empty: "it has no values",
      name: expect.stringContaining("identifier"),
    });
  });

  it("leaves out a column whose name a request could not carry", async () => {
    const profile = await profileColumns([
      {
        length: 3,
        columns: new Map([
          ["__proto__", numbers(1, 2, 4)],
          ["constructor", numbers(1, 2, 4)],
        ]),
      },
    ]);
    const { specs: found, leftOut } = inferFeatures(profile, "y");
    expect(found).toEqual([{ kind: "number", column: "constructor" }]);
    expect(leftOut.map(({ column }) => column)).toEqual(["__proto__"]);
  });

  it("describes the raw columns that a prediction needs, with an example", async () => {
    const some = table({ x: numbers(NaN, 4, 6), c: texts("b", "a", "b") }, 3);
    const fitted = await fitFeatures(specs, [some]);
    expect(inputFields(fitted, await profileColumns([some]))).toEqual([
      { name: "x", kind: "number", shape: [], optional: true, range: [4, 6] },
      { name: "c", kind: "string", shape: [], optional: false, categories: ["b", "a"] },
    ]);
    expect(exampleRow(fitted, some)).toEqual({ x: 4, c: "a" });
  });
});

describe("numbers that float32 does not hold", () => {
  const table = (values: readonly number[]): Columns => ({
    length: values.length,
    columns: new Map<string, Column>([["a", { kind: "number", values: Float64Array.from(values) }]]),
  });
  const specs: readonly FeatureSpec[] = [{ kind: "number", column: "a" }];

  it("are learned from where they are no further apart than float64 can say", async () => {
    const values = [1e300, -1e300, 0, 1e300];
    await expect(fitFeatures(specs, [table(values)])).rejects.toMatchObject({
      code: "COLUMN_TYPE",
      message: expect.stringContaining('"a" holds numbers from -1e+300 to 1e+300'),
    });
    const large = values.map((value) => value / 1e180);
    const { features } = transformFeatures(await fitFeatures(specs, [table(large)]), table(large));
    expect(Array.from(features?.data as Float32Array, (value) => Number(value.toFixed(3)))).toEqual([0.905, -1.508, -0.302, 0.905]); // mean .25, deviation .829
  });

  it("are refused with their row in what is predicted", async () => {
    const fitted = await fitFeatures(specs, [table([1, 2, 3])]);
    expect(() => transformFeatures(fitted, table([1, 1e39, 2]))).toThrow(/column "a", row 2: holds 1e\+39, too far from the training rows' mean 2/);
    expect(transformFeatures(fitted, table([1e38]))["features"]?.data[0]).toBeLessThan(Infinity);
  });
});
