import { expect, test } from "vitest";
import { GraphBuilder } from "../../graph/builder.ts";
import type { Dimension } from "../../graph/graph.ts";
import { dense, Network } from "../../layers/index.ts";
import type { Value } from "../../operators/operator.ts";
import { tensor } from "../../tensor.ts";
import { constrain, maxNorm, minMaxNorm, unitNorm } from "../constraint.ts";
import { sgd } from "../optimizers/index.ts";
import { l1, l2, orthogonal, regularize } from "../regularizer.ts";
import { createTrainingGraph } from "../training-graph.ts";
import {
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  contrastive,
  ctc,
  dice,
  gaussianKlDivergence,
  hinge,
  huber,
  inBatchSoftmax,
  meanSquaredError,
  poisson,
  quantile,
  softmaxCrossEntropy,
  sparseFocalCrossentropy,
  triplet,
  tversky,
  weightedSum,
} from "./index.ts";

const output = (...shape: readonly Dimension[]): Value => new GraphBuilder("test").input("output", "float32", shape);

test.each([
  [() => huber({ delta: 0 }), "huber: delta must be a number above 0, not 0"],
  [() => quantile({ quantiles: 1 }), "quantile: quantile 1 must be between 0 and 1, not 1"],
  [() => quantile({ quantiles: [0.5, 2] }), "quantile: quantile 2 must be between 0 and 1, not 2"],
  [() => binaryCrossentropy({ labelSmoothing: 1 }), "binaryCrossentropy: labelSmoothing must be from 0 to below 1, not 1"],
  [() => binaryCrossentropy({ classWeights: [1, -2] }), "binaryCrossentropy: class weights must be numbers from 0, not [1, -2]"],
  [() => binaryFocalCrossentropy({ alpha: 2 }), "binaryFocalCrossentropy: alpha must be from 0 to 1, not 2"],
  [() => categoricalFocalCrossentropy({ gamma: -1 }), "categoricalFocalCrossentropy: gamma must be a number from 0, not -1"],
  [() => softmaxCrossEntropy({ ignoreIndex: 0.5 }), "softmaxCrossEntropy: ignoreIndex must be a whole number, not 0.5"],
  [() => tversky({ alpha: Number.NaN }), "tversky: alpha must be a number from 0, not NaN"],
  [() => triplet({ margin: -1 }), "triplet: margin must be a number above 0, not -1"],
  [() => contrastive({ margin: 0 }), "contrastive: margin must be a number above 0, not 0"],
  [() => ctc({ maxLabels: 0 }), "ctc: maxLabels must be a whole number from 1, not 0"],
  [() => weightedSum([{ loss: dice() }, { loss: meanSquaredError() }]), "weightedSum: its losses must read one output, not logits and prediction"],
  [() => weightedSum([{ loss: dice(), weight: -1 }]), "weightedSum: weight of dice must be a number from 0, not -1"],
  [() => l2(-1), 'regularizer "l2": l2 must be a number from 0, not -1'],
  [() => l1(Infinity), 'regularizer "l1": l1 must be a number from 0, not Infinity'],
  [() => maxNorm({ maxValue: 0 }), 'constraint "maxNorm": maxValue must be a number above 0, not 0'],
  [() => minMaxNorm({ minValue: 2 }), 'constraint "minMaxNorm": minValue must be from 0 to maxValue 1, not 2'],
  [() => minMaxNorm({ rate: 0 }), 'constraint "minMaxNorm": rate must be above 0 and at most 1, not 0'],
  [() => unitNorm({ axis: [] }), 'constraint "unitNorm": axis must be a whole number or a list of them, not []'],
])("an argument out of range is refused (%#)", (make, message) => {
  expect(make).toThrow(expect.objectContaining({ code: "ARGUMENT_INVALID", message: expect.stringContaining(message) }));
});

test.each([
  [() => softmaxCrossEntropy().labels(output("batch")), "softmaxCrossEntropy: the model's output must be [batch, ..., units], not [batch]"],
  [() => meanSquaredError().labels(output(3, 2)), "meanSquaredError: the model's output must be [batch, ...], not [3, 2]"],
  [() => triplet().labels(output("batch", 3, 4)), "triplet: the model's output must be [batch, width], not [batch, 3, 4]"],
  [() => inBatchSoftmax().labels(output("batch", 8)), "inBatchSoftmax: the model's output must be [batch, batch], not [batch, 8]"],
  [
    () => gaussianKlDivergence().labels(output("batch", 3)),
    "gaussianKlDivergence: the output must be [batch, means and log variances], not [batch, 3]",
  ],
  [() => ctc({ maxLabels: 3 }).labels(output("batch", 4)), "ctc: the model's output must be [batch, time, classes], not [batch, 4]"],
  [() => ctc({ maxLabels: 5 }).labels(output("batch", 4, 3)), "ctc: 5 labels need as many time steps, but the output is [batch, 4, 3]"],
  [
    () => weightedSum([{ loss: softmaxCrossEntropy() }, { loss: categoricalCrossentropy() }]).labels(output("batch", 3)),
    "weightedSum: softmaxCrossEntropy wants labels int32 [batch], categoricalCrossentropy float32 [batch, 3]",
  ],
  [() => regularize(new GraphBuilder("test"), orthogonal(), output(3)), 'regularizer "orthogonal": "output" is [3]'],
  [() => constrain(new GraphBuilder("test"), maxNorm({ axis: 2 }), output(3, 4)), 'constraint "maxNorm": "output" is [3, 4] and has no axis 2'],
])("an output that does not go with the loss is refused (%#)", (make, message) => {
  expect(make).toThrow(expect.objectContaining({ code: "GRAPH_SHAPE", message: expect.stringContaining(message) }));
});

test.each([
  [() => categoricalCrossentropy({ classWeights: [1, 2] }).labels(output("batch", 3)), "2 class weights, but the model ends in 3 units"],
  [() => sparseFocalCrossentropy({ alpha: [1] }).labels(output("batch", 3)), "1 class weights, but the model ends in 3 units"],
  [() => quantile({ quantiles: [0.1, 0.9] }).labels(output("batch", 3)), "must be the size of the output's last dimension, 3, not 2"],
  [() => ctc({ maxLabels: 2, blank: 9 }).labels(output("batch", 4, 3)), "ctc: blank must be below the 3 classes, not 9"],
])("as many numbers as units are asked for (%#)", (make, message) => {
  expect(make).toThrow(expect.objectContaining({ code: "ARGUMENT_INVALID", message: expect.stringContaining(message) }));
});

test.each([
  [
    () => poisson().check(tensor("float32", [2, 2], [1, 0, 2, -1]), 2, "batch 1"),
    "fit: position 1 of row 1 of batch 1 has label -1; this loss is for counts",
  ],
  [
    () => binaryCrossentropy().check(tensor("float32", [2], [1, 2]), 1, "batch 1"),
    "fit: row 1 of batch 1 has label 2; labels are probabilities from 0 to 1",
  ],
  [
    () => categoricalCrossentropy().check(tensor("float32", [2, 2], [0, 1, 0.5, 0.4]), 2, "batch 1"),
    "fit: row 1 of batch 1 has labels that sum to 0.9",
  ],
  [
    () => softmaxCrossEntropy({ ignoreIndex: -1 }).check(tensor("int32", [2, 2], [0, -1, -2, 1]), 2, "batch 1"),
    "fit: position 0 of row 1 of batch 1 has label -2; labels are from 0 to 1",
  ],
  [() => hinge().check(tensor("float32", [1], [0.5]), 1, "batch 1"), "fit: row 0 of batch 1 has label 0.5; labels are 1, and -1 or 0"],
  [() => ctc({ maxLabels: 2 }).check(tensor("int32", [1, 2], [0, 1]), 3, "batch 1"), "labels are from 0 to 2 without the blank 0, and -1 after"],
  [() => ctc({ maxLabels: 3 }).check(tensor("int32", [1, 3], [1, -1, 2]), 3, "batch 1"), "fit: row 0 of batch 1 has a label after -1"],
])("labels that do not go with the loss are refused with their row (%#)", (check, message) => {
  expect(check).toThrow(expect.objectContaining({ code: "TARGET_INVALID", message: expect.stringContaining(message) }));
});

test.each([
  [() => huber({ dela: 2 } as { delta?: number }), 'huber: no argument "dela"; did you mean "delta"?'],
  [() => meanSquaredError({ outputs: "y" } as { output?: string }), 'meanSquaredError: no argument "outputs"; did you mean "output"?'],
  [() => dice({ activation: "sigmod" as "sigmoid" }), 'dice: no activation "sigmod"; did you mean "sigmoid"?'],
  [() => triplet({ mining: "semihard" as "semiHard" }), 'triplet: no mining "semihard"; did you mean "semiHard"?'],
])("an argument that a loss has not is refused with the nearest name (%#)", (make, message) => {
  expect(make).toThrow(message);
});

test("a loss that no trained parameter changes is refused", () => {
  const network = new Network("two");
  const x = network.input("x", [2]);
  network.output("trained", network.apply(dense({ units: 1 }), x));
  network.output("frozen", network.apply(dense({ units: 1, trainable: false }), x));
  const options = { loss: meanSquaredError({ output: "frozen" }), optimizer: sgd() };
  expect(() => createTrainingGraph(network.build(), options)).toThrow(
    'the loss depends on none of the parameters that are trained ("dense/kernel", "dense/bias"); let it read an output that they make',
  );
});
