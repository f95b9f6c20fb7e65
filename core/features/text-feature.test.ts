import { describe, expect, it } from "vitest";
import type { Column, Columns } from "../columns.ts";
import { profileColumns } from "../data/profile.ts";
import { sliceRows } from "../data/rows.ts";
import { createTokenizer } from "./byte-pair/index.ts";
import type { FittedFeature } from "./features.ts";
import { finishFeatures, fitFeatures } from "./fit.ts";
import { inferFeatures } from "./infer.ts";
import { inputFields } from "./input-fields.ts";
import { featureStatistics, mergeFeatureStatistics } from "./statistics.ts";
import { featureWidth, transformFeatures } from "./transform.ts";

const texts = (...values: readonly (string | undefined)[]): Column => {
  const dictionary = [...new Set(values.filter((value) => value !== undefined))];
  return { kind: "string", codes: Int32Array.from(values, (value) => (value === undefined ? -1 : dictionary.indexOf(value))), dictionary };
};
const table = (columns: Readonly<Record<string, Column>>, length: number): Columns => ({ length, columns: new Map(Object.entries(columns)) });
const reviews = Array.from(
  { length: 40 },
  (_, i) => `the ${["soup", "bread", "wine"][i % 3]} was ${i % 2 === 0 ? "very good" : "not so good"}, visit ${i}`,
);
const column = table({ review: texts(...reviews) }, 40);
const spec = { kind: "text", column: "review" } as const;

function textOf(feature: FittedFeature | undefined): Extract<FittedFeature, { kind: "text" }> {
  if (feature?.kind === "text") return feature;
  throw new Error(`expected a text, not ${feature?.kind}`);
}

describe("a text feature", () => {
  it("learns words that come again as tokens, and a length that takes nearly every row whole", async () => {
    const feature = textOf((await fitFeatures([spec], [column])).features[0]);
    const tokenizer = createTokenizer(feature.merges);
    expect(tokenizer.encode("the soup was very good")).toHaveLength(6); // the start and five words
    const lengths = reviews.map((review) => tokenizer.encode(review).length).toSorted((a, b) => a - b);
    expect(feature.maxLength).toBeGreaterThanOrEqual(lengths[Math.floor(0.95 * 40)] ?? 0);
    expect(feature.maxLength).toBeLessThan((lengths.at(-1) ?? 0) + 8);
    expect(feature.maxLength % 8).toBe(0);
    expect(featureWidth({ features: [feature] })).toBe(0);
  });

  it("learns the same from parts as from the whole", async () => {
    const parts = [sliceRows(column, 0, 7), sliceRows(column, 7, 30), sliceRows(column, 30, 40)].map((part) => featureStatistics([spec], part));
    const merged = mergeFeatureStatistics(parts[0]!, mergeFeatureStatistics(parts[1]!, parts[2]!)); // three parts
    expect(finishFeatures([spec], merged)).toEqual(await fitFeatures([spec], [column]));
  });

  it("makes rows of one length: cut, or filled up with 0; a missing text is the start alone", async () => {
    const fitted = await fitFeatures([{ ...spec, maxLength: 4 }], [column]);
    const { review } = transformFeatures(fitted, table({ review: texts("soup", undefined, "the soup was very good") }, 3));
    expect(review).toMatchObject({ dtype: "int32", shape: [3, 4] });
    const tokenizer = createTokenizer(textOf(fitted.features[0]).merges);
    const [soup, whole] = [tokenizer.encode("soup"), tokenizer.encode("the soup was very good")];
    expect(Array.from(review!.data, Number)).toEqual([...soup, 0, 0, 0, 0].slice(0, 4).concat([1, 0, 0, 0], whole.slice(0, 4)));
  });

  it("takes a column of digits as text, and refuses tensors", async () => {
    const fitted = await fitFeatures([{ ...spec, maxLength: 3 }], [column]);
    const digits = transformFeatures(fitted, table({ review: { kind: "number", values: Float64Array.of(7, NaN) } }, 2));
    expect(digits).toEqual(transformFeatures(fitted, table({ review: texts("7", undefined) }, 2)));
    expect(() => transformFeatures(fitted, table({ review: { kind: "tensor", shape: [1], values: Float32Array.of(1) } }, 1))).toThrow(
      /holds tensors, not text/,
    );
  });

  it("is chosen for free text of several words; names and codes stay left out, sentences that repeat stay categories", async () => {
    const all = table(
      {
        review: texts(...reviews),
        name: texts(...reviews.map((_, i) => `name ${i}`)),
        advice: texts(...reviews.map((_, i) => (i % 2 === 0 ? "come again some day" : "stay away from it"))),
        label: texts(...reviews.map((_, i) => String(i % 2))),
      },
      40,
    );
    const profile = await profileColumns([all]);
    const { specs, leftOut } = inferFeatures(profile, "label");
    expect(specs.map(({ kind, column: name }) => `${kind} ${name}`)).toEqual(["text review", "category advice"]);
    expect(leftOut.map(({ column: name }) => name)).toEqual(["name"]);
    expect(inputFields(await fitFeatures([spec], [all]), profile)).toEqual([{ name: "review", kind: "string", shape: [], optional: false }]);
  });
});
