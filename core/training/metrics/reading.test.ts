import { expect, test } from "vitest";
import { areaUnderRoc, rankedGroups } from "../../evaluation/ranked-groups.ts";
import { Random } from "../../random.ts";
import { tensor, type Tensor } from "../../tensor.ts";
import {
  accuracy,
  auc,
  binaryIoU,
  calibrationError,
  createConfusionMatrix,
  fBeta,
  logLoss,
  meanReciprocalRank,
  ndcgAtK,
  perplexity,
  precisionAtK,
  r2,
  topKAccuracy,
  type Metric,
} from "./index.ts";

const of = (metric: Metric, output: Tensor, labels: Tensor, weights?: Tensor): number => {
  const sums = metric.start();
  sums.add({ [metric.output!]: output }, labels, weights);
  return sums.result();
};

test("steps of sequences are rows of their own; padding below 0 counts nothing, and steps weigh as their row", () => {
  const logits = tensor("float32", [2, 3, 2], [2, 0, 0, 2, 0, 2, 2, 0, 2, 0, 2, 0]); // answers 0 1 1, 0 0 0
  const labels = tensor("int32", [2, 3], [0, 1, -1, 1, 0, -1]);
  expect(of(accuracy(), logits, labels)).toBe(3 / 4);
  expect(of(accuracy(), logits, labels, tensor("float32", [2], [1, 3]))).toBe((2 + 3) / 8);
  const [sure, wrong] = [Math.log(1 + Math.exp(-2)), Math.log(1 + Math.exp(2))];
  expect(of(perplexity(), logits, labels)).toBeCloseTo(Math.exp((3 * sure + wrong) / 4), 6);
});

test("one-hot labels mean the same as class numbers, and probabilities as their logits", () => {
  const logits = tensor("float32", [3, 3], [1, 2, 0, 0.5, -1, 3, 2, 1, 0]);
  const probabilities = tensor(
    "float32",
    [3, 3],
    [0, 3, 6].flatMap((start) => {
      const row = Array.from({ length: 3 }, (_, i) => Math.exp(Number(logits.data[start + i])));
      return row.map((value) => value / (row[0]! + row[1]! + row[2]!));
    }),
  );
  const numbers = tensor("int32", [3], [1, 2, 2]);
  const oneHot = tensor("float32", [3, 3], [0, 1, 0, 0, 0, 1, 0, 0, 1]);
  for (const make of [accuracy, auc, logLoss, calibrationError, fBeta]) {
    const expected = of(make(), logits, numbers);
    expect(of(make(), logits, oneHot)).toBe(expected);
    expect(of(make({ fromLogits: false }), probabilities, numbers)).toBeCloseTo(expected, 6);
  }
});

test("a confusion matrix counts rows by class and columns by answer, by weight", () => {
  const matrix = createConfusionMatrix();
  matrix.add({ logits: tensor("float32", [3, 2], [1, 0, 0, 1, 0, 1]) }, tensor("int32", [3], [0, 0, 1]), tensor("float32", [3], [1, 2, 4]));
  matrix.add({ logits: tensor("float32", [1, 2], [1, 0]) }, tensor("int32", [1], [1]));
  expect(matrix.counts()).toEqual([
    [1, 2],
    [1, 4],
  ]);
});

test("masks are questions of every pixel when they say so", () => {
  const logits = tensor("float32", [1, 2, 2], [3, -1, 2, -2]);
  expect(of(binaryIoU(), logits, tensor("float32", [1, 2, 2], [1, 1, 0, 0]))).toBe(1 / 3);
});

test("the area over many scores is within the width of a threshold of the exact one", () => {
  const random = new Random(3);
  const count = 2 ** 17 + 5000;
  const labels = Int32Array.from({ length: count }, () => random.integer(2));
  const scores = Float32Array.from(labels, (label) => random.normal() * 2 + label);
  const exact = areaUnderRoc(rankedGroups({ scores, isPositive: (row) => labels[row] === 1 }));
  const sums = auc().start();
  for (let start = 0; start < count; start += 50_000) {
    const part = scores.subarray(start, start + 50_000);
    sums.add(
      { logits: tensor("float32", [part.length, 1], part) },
      tensor("float32", [part.length, 1], Float32Array.from(labels.subarray(start, start + 50_000))),
    );
  }
  expect(sums.result()).not.toBe(exact); // it was counted at thresholds
  expect(sums.result()).toBeCloseTo(exact!, 5);
});

test("what the rows do not define is NaN, not a number that looks good", () => {
  expect(of(auc(), tensor("float32", [2, 1], [1, 2]), tensor("float32", [2, 1], [1, 1]))).toBeNaN();
  expect(of(r2(), tensor("float32", [2, 1], [1, 2]), tensor("float32", [2, 1], [1, 1]))).toBeNaN();
  expect(accuracy().start().result()).toBeNaN();
});

test("a ranking's label may be the one relevant item's number, and rows without one are left out", () => {
  const scores = tensor("float32", [2, 3], [0.1, 0.9, 0.5, 3, 2, 1]);
  expect(of(meanReciprocalRank(), scores, tensor("int32", [2], [2, 0]))).toBe((1 / 2 + 1) / 2);
  expect(of(precisionAtK({ k: 2 }), scores, tensor("float32", [2, 3], [0, 0, 1, 0, 0, 0]))).toBe(1 / 2);
});

test.each([
  [() => topKAccuracy({ k: 0 }), "topKAccuracy: k must be a whole number from 1, not 0"],
  [() => ndcgAtK({ k: 1.5 }), "ndcgAtK: k must be a whole number from 1, not 1.5"],
  [() => calibrationError({ bins: 0 }), "calibrationError: bins must be a whole number from 1, not 0"],
  [() => fBeta({ beta: 0 }), "fBeta: beta must be a number above 0, not 0"],
])("an argument out of range is refused (%#)", (make, message) => {
  expect(make).toThrow(expect.objectContaining({ code: "ARGUMENT_INVALID", message }));
});
