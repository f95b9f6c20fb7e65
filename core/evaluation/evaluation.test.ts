import { describe, expect, it } from "vitest";
import type { Columns } from "../columns.ts";
import type { FittedTarget } from "../features/features.ts";
import type { Predictions } from "../predictor.ts";
import { areaUnderCurve, classificationMetrics, confusionMatrix } from "./classification.ts";
import { concatPredictions } from "./concat-predictions.ts";
import { evaluatePredictions } from "./evaluate.ts";
import { regressionMetrics } from "./regression.ts";

// The values below are those of the examples in scikit-learn's documentation of log_loss, f1_score, roc_auc_score and r2_score.
const answers = (
  classes: number,
  labels: readonly number[],
  probabilities?: readonly number[],
): Extract<Predictions, { task: "classification" }> => ({
  task: "classification",
  classes: Array.from({ length: classes }, (_, i) => `c${i}`),
  labels: Int32Array.from(labels),
  probabilities: Float32Array.from(probabilities ?? labels.flatMap((label) => Array.from({ length: classes }, (_, i) => (i === label ? 1 : 0)))),
});

describe("classification", () => {
  it("measures accuracy, log loss and area under the curve of two classes", () => {
    const metrics = classificationMetrics(answers(2, [1, 0, 0, 1], [0.1, 0.9, 0.9, 0.1, 0.8, 0.2, 0.35, 0.65]), Int32Array.from([1, 0, 0, 1]));
    expect(metrics["accuracy"]).toBe(1);
    expect(metrics["auc"]).toBe(1);
    expect(metrics["logLoss"]).toBeCloseTo(0.21616, 5);
  });

  it("measures the mean F1 of more classes, which occur in truth or answers", () => {
    const truth = Int32Array.from([0, 1, 2, 0, 1, 2]);
    expect(classificationMetrics(answers(4, [0, 2, 1, 0, 0, 1]), truth)["macroF1"]).toBeCloseTo(0.26667, 5);
    expect(confusionMatrix(answers(3, [0, 2, 1, 0, 0, 1]), truth)).toEqual([
      [2, 0, 0],
      [1, 0, 1],
      [0, 2, 0],
    ]);
  });

  it("counts ties half in the area under the curve, and has none for one class", () => {
    expect(areaUnderCurve(Float64Array.from([0.1, 0.4, 0.35, 0.8]), Int32Array.from([0, 0, 1, 1]))).toBe(0.75);
    expect(areaUnderCurve(Float64Array.from([0.5, 0.5, 0.5]), Int32Array.from([0, 1, 1]))).toBe(0.5);
    expect(areaUnderCurve(Float64Array.from([0.5]), Int32Array.from([1]))).toBeUndefined();
  });

  it("stays finite when the model was sure and wrong", () => {
    expect(classificationMetrics(answers(2, [0]), Int32Array.from([1]))["logLoss"]).toBeCloseTo(-Math.log(1e-15), 6);
  });
});

describe("regression", () => {
  it("measures errors and the share of variance explained", () => {
    const metrics = regressionMetrics(Float64Array.from([2.5, 0, 2, 8]), Float64Array.from([3, -0.5, 2, 7]));
    expect(metrics["rmse"]).toBeCloseTo(Math.sqrt(0.375), 12);
    expect(metrics["mae"]).toBe(0.5);
    expect(metrics["r2"]).toBeCloseTo(0.948608137, 9);
  });

  it("has no share of variance when nothing varies", () => {
    expect(regressionMetrics(Float64Array.from([1, 2]), Float64Array.from([2, 2]))).toEqual({ rmse: Math.sqrt(0.5), mae: 0.5 });
  });
});

describe("evaluatePredictions", () => {
  const target: FittedTarget = { task: "classification", column: "y", classes: ["c0", "c1"], numeric: false };
  const columns: Columns = { length: 3, columns: new Map([["y", { kind: "string", codes: Int32Array.from([0, 1, 0]), dictionary: ["c1", "c0"] }]]) };

  it("joins answers for several pieces", () => {
    const parts = [answers(2, [1, 0]), answers(2, [0])];
    expect(evaluatePredictions(target, { predictions: parts, columns })["accuracy"]).toBeCloseTo(2 / 3, 12);
    expect(() => concatPredictions([parts[0]!, { task: "regression", values: Float64Array.of(1) }])).toThrow(/cannot be joined/);
  });

  it("refuses answers for another number of rows, and no rows", () => {
    expect(() => evaluatePredictions(target, { predictions: answers(2, [1]), columns })).toThrow(/1 predictions for 3 rows/);
    expect(() => evaluatePredictions(target, { predictions: [], columns })).toThrow(expect.objectContaining({ code: "DATA_EMPTY" }));
  });
});
