import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { tensor, type DType, type Tensor } from "../../tensor.ts";
import {
  accuracy,
  auc,
  binaryAccuracy,
  binaryIoU,
  brier,
  calibrationError,
  cohenKappa,
  cosine,
  createBleu,
  fBeta,
  hitRateAtK,
  logLoss,
  mae,
  mape,
  matthews,
  meanAveragePrecision,
  meanIoU,
  meanReciprocalRank,
  ndcgAtK,
  perplexity,
  precision,
  precisionAtK,
  r2,
  recall,
  recallAtK,
  rootMeanSquaredError,
  topKAccuracy,
  type Metric,
} from "./index.ts";

// Values that scikit-learn and sacreBLEU computed (test/golden/make-metrics.py) from the same float32 scores, here added up in three batches.
const tolerance = 1e-6;

interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface Group {
  readonly output: Packed;
  readonly labels: Packed;
  readonly plain: Readonly<Record<string, number>>;
  readonly weighted: Readonly<Record<string, number>>;
}

const golden = JSON.parse(await readFile(new URL("../../../test/golden/metrics.json", import.meta.url), "utf8")) as {
  readonly weights: Packed;
  readonly classes: Group;
  readonly questions: Group;
  readonly rankings: Group;
  readonly numbers: Group;
  readonly bleu: readonly { readonly hypotheses: readonly string[]; readonly references: readonly (readonly string[])[]; readonly bleu: number }[];
};

const averages = (["macro", "micro", "weighted"] as const).flatMap((average): [string, Metric][] => [
  [`precision ${average}`, precision({ average })],
  [`recall ${average}`, recall({ average })],
  [`f2 ${average}`, fBeta({ beta: 2, average })],
]);
const classMetrics: readonly (readonly [string, Metric])[] = [
  ["accuracy", accuracy()],
  ["top2Accuracy", topKAccuracy({ k: 2 })],
  ["auc", auc()],
  ["averagePrecision", auc({ curve: "PR" })],
  ["logLoss", logLoss()],
  ["perplexity", perplexity()],
  ["brier", brier()],
  ["calibrationError", calibrationError()],
  ["matthews", matthews()],
  ["cohenKappa", cohenKappa()],
  ["meanIoU", meanIoU()],
  ...averages,
];
const questionMetrics: readonly (readonly [string, Metric])[] = [
  ["accuracy", accuracy()],
  ["binaryAccuracy 0.7", binaryAccuracy({ threshold: 0.7 })],
  ["auc", auc()],
  ["averagePrecision", auc({ curve: "PR" })],
  ["logLoss", logLoss()],
  ["brier", brier()],
  ["precision", precision()],
  ["recall", recall()],
  ["f1", fBeta()],
  ["matthews", matthews()],
  ["iou", binaryIoU()],
];
const rankingMetrics: readonly (readonly [string, Metric])[] = [
  ["ndcg", ndcgAtK()],
  ["ndcg@3", ndcgAtK({ k: 3 })],
  ["ndcg@3 exponential", ndcgAtK({ k: 3, gain: "exponential" })],
  ["map", meanAveragePrecision()],
  ["precision@3", precisionAtK({ k: 3 })],
  ["recall@3", recallAtK({ k: 3 })],
  ["hitRate@1", hitRateAtK({ k: 1 })],
  ["mrr", meanReciprocalRank()],
];
const numberMetrics: readonly (readonly [string, Metric])[] = [
  ["rmse", rootMeanSquaredError()],
  ["mae", mae()],
  ["mape", mape()],
  ["r2", r2()],
  ["cosine", cosine()],
];

describe.each([
  ["classes", golden.classes, "int32", classMetrics],
  ["questions", golden.questions, "float32", questionMetrics],
  ["rankings", golden.rankings, "float32", rankingMetrics],
  ["numbers", golden.numbers, "float32", numberMetrics],
] as const)("of %s", (_, group, labelType, metrics) => {
  test("every golden value has its metric", () => {
    expect(metrics.map(([name]) => name).toSorted()).toEqual(Object.keys(group.plain).toSorted());
  });

  test.for(metrics)("%s", ([name, metric]) => {
    expect(measured(metric, group, labelType, undefined)).toBeCloseTo(group.plain[name]!, -Math.log10(2 * tolerance));
    expect(measured(metric, group, labelType, golden.weights)).toBeCloseTo(group.weighted[name]!, -Math.log10(2 * tolerance));
  });
});

test.each(golden.bleu)("BLEU of $hypotheses", ({ hypotheses, references, bleu }) => {
  const sums = createBleu();
  hypotheses.forEach((hypothesis, i) => {
    sums.add(
      hypothesis.split(" "),
      references.map((set) => set[i]!.split(" ")),
    );
  });
  expect(sums.result()).toBeCloseTo(bleu, 9);
});

/** The metric of all rows, in batches of 25, 25 and what is left. */
function measured(metric: Metric, { output, labels }: Group, labelType: DType, weights: Packed | undefined): number {
  const sums = metric.start();
  const rows = labels.shape[0]!;
  for (let start = 0; start < rows; start += 25) {
    const part = (packed: Packed, dtype: DType): Tensor => rowsOf(packed, { dtype, start, end: Math.min(rows, start + 25) });
    sums.add({ [metric.output!]: part(output, "float32") }, part(labels, labelType), weights && part(weights, "float32"));
  }
  return sums.result();
}

function rowsOf({ shape, data }: Packed, { dtype, start, end }: { readonly dtype: DType; readonly start: number; readonly end: number }): Tensor {
  const each = data.length / shape[0]!;
  return tensor(dtype, [end - start, ...shape.slice(1)], data.slice(start * each, end * each));
}
