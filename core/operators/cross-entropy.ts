import { formatShape } from "../graph/graph.ts";
import { tensor } from "../tensor.ts";
import { asNumber, countAlong } from "./gradients.ts";
import type { Attributes, AttributeSpec, Emitter, InferContext, LowerContext, Operator, Value } from "./operator.ts";
import { floatTypes, typed } from "./shapes.ts";

const lossAttributes: Readonly<Record<string, AttributeSpec>> = {
  reduction: { kind: "string", default: "mean" },
  ignore_index: { kind: "int" },
};

/**
 * Cross-entropy of scores [batch, classes, ...] against class numbers [batch, ...], with optional class weights [classes].
 *
 * Outputs: the loss (a scalar, or the labels' shape with reduction "none"), and the log-probabilities if two outputs are named.
 * "mean" divides by the sum of the weights of what is not `ignore_index`.
 * @see https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html
 */
export const softmaxCrossEntropyLoss: Operator = {
  name: "SoftmaxCrossEntropyLoss",
  domain: "",
  inputs: [2, 3],
  outputs: [1, 2],
  attributes: lossAttributes,
  infer(context) {
    const scores = typed(context, 0, floatTypes);
    checkLabels(context, { labels: 1, weights: 2 });
    const loss = { dtype: scores.dtype, shape: context.attributes.string("reduction") === "none" ? context.input(1).shape : [] };
    return [loss, scores].slice(0, context.outputCount);
  },
  gradient({ emit, input, inputs, attributes, outputs, gradients: [dLoss, dLogProbability], needs, refuse }) {
    if (needs(2)) refuse("class weights have no gradient");
    if (!needs(0)) return [];
    const logProbability = outputs[1] ?? emit.op("LogSoftmax", [input(0)], { axis: 1 });
    const options = {
      reduction: attributes.string("reduction"),
      ...(attributes.has("ignore_index") && { ignore_index: attributes.int("ignore_index") }),
    };
    const fromLoss = dLoss && emit.op("SoftmaxCrossEntropyLossGrad", [logProbability, input(1), dLoss, inputs[2]], options);
    if (dLogProbability === undefined) return [fromLoss];
    const total = emit.op("ReduceSum", [dLogProbability, emit.ints([1])], { keepdims: 1 });
    const fromSecond = emit.op("Sub", [dLogProbability, emit.op("Mul", [emit.op("Exp", [logProbability]), total])]);
    return [fromLoss ? emit.op("Add", [fromLoss, fromSecond]) : fromSecond];
  },
  lower(context) {
    const { emit, input, outputTypes } = context;
    const logProbability = emit.op("LogSoftmax", [input(0)], { axis: 1 });
    return [likelihoodLoss(context, logProbability), logProbability].slice(0, outputTypes.length);
  },
};

/**
 * Minus the log-probability of each label: input [batch, classes, ...], target [batch, ...], optional class weights [classes] to the loss.
 *
 * As in SoftmaxCrossEntropyLoss, whose second half it is. Its gradient goes through its lowering.
 * @see https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html
 */
export const negativeLogLikelihoodLoss: Operator = {
  name: "NegativeLogLikelihoodLoss",
  domain: "",
  inputs: [2, 3],
  outputs: [1, 1],
  attributes: lossAttributes,
  infer(context) {
    const { dtype } = typed(context, 0, floatTypes);
    checkLabels(context, { labels: 1, weights: 2 });
    return [{ dtype, shape: context.attributes.string("reduction") === "none" ? context.input(1).shape : [] }];
  },
  lower: (context) => [likelihoodLoss(context, context.input(0))],
};

/** The gradient by the scores, from the log-probabilities, the labels, dLoss and the class weights. */
export const softmaxCrossEntropyLossGrad: Operator = {
  name: "SoftmaxCrossEntropyLossGrad",
  domain: "espalier",
  inputs: [3, 4],
  outputs: [1, 1],
  attributes: lossAttributes,
  infer(context) {
    const logProbability = typed(context, 0, floatTypes);
    checkLabels(context, { labels: 1, weights: 3 });
    const dLoss = typed(context, 2, [logProbability.dtype]);
    const expected = context.attributes.string("reduction") === "none" ? context.input(1).shape : [];
    if (formatShape(dLoss.shape) !== formatShape(expected))
      context.fail(`dLoss is ${formatShape(dLoss.shape)}, but the loss is ${formatShape(expected)}`);
    return [logProbability];
  },
  // (softmax - one-hot) times the weight of each, over the sum of all weights for "mean"
  lower(context) {
    const { emit, input, attributes } = context;
    const [logProbability, labels, dLoss] = [input(0), input(1), input(2)];
    const difference = emit.op("Sub", [emit.op("Exp", [logProbability]), asNumber(emit, isLabel(emit, labels, logProbability), logProbability)]);
    const weights = weightOfEach(context, { labels, like: logProbability, weights: context.inputs[3] });
    const each = scaleOfEach(emit, dLoss, { attributes, weights, labels });
    const scale = each.shape.length === 0 ? each : emit.op("Unsqueeze", [each, emit.ints([1])]);
    return [emit.op("Mul", [difference, scale])];
  },
};

/** Labels are input 1, class weights input 2. */
function likelihoodLoss(context: LowerContext, logProbability: Value): Value {
  const { emit, input, inputs, attributes } = context;
  const chosen = emit.op("Where", [isLabel(emit, input(1), logProbability), logProbability, emit.scalar(0, logProbability.dtype)]);
  const losses = emit.op("Neg", [emit.op("ReduceSum", [chosen, emit.ints([1])], { keepdims: 0 })]);
  const weights = weightOfEach(context, { labels: input(1), like: logProbability, weights: inputs[2] });
  const weighted = weights ? emit.op("Mul", [losses, weights]) : losses;
  return reduced(emit, weighted, { attributes, weights });
}

function checkLabels(context: InferContext, { labels: at, weights: weightsAt }: { labels: number; weights: number }): void {
  const scores = context.input(0);
  const labels = typed(context, at, ["int32", "int64"]);
  if (scores.shape.length < 2) context.fail(`scores must be [batch, classes, ...], not ${formatShape(scores.shape)}`);
  const expected = scores.shape.toSpliced(1, 1);
  if (formatShape(labels.shape) !== formatShape(expected)) context.fail(`labels must be ${formatShape(expected)}, not ${formatShape(labels.shape)}`);
  const reduction = context.attributes.string("reduction");
  if (!["none", "mean", "sum"].includes(reduction)) context.fail(`reduction "${reduction}" is not "none", "mean" or "sum"`);
  const weights = context.inputs[weightsAt];
  if (weights === undefined) return;
  typed(context, weightsAt, [scores.dtype]);
  const classes = formatShape(scores.shape.slice(1, 2));
  if (formatShape(weights.shape) !== classes) context.fail(`class weights must be ${classes}, not ${formatShape(weights.shape)}`);
}

/** Whether each class is the label: labels [batch, ...] to bool [batch, classes, ...]. */
function isLabel(emit: Emitter, labels: Value, { shape }: Value): Value {
  const classes = Number(shape[1]);
  const numbers = Array.from({ length: classes }, (_, i) => i);
  const column = emit.constant(tensor(labels.dtype, [1, classes, ...shape.slice(2).map(() => 1)], numbers));
  return emit.op("Equal", [emit.op("Unsqueeze", [labels, emit.ints([1])]), column]);
}

/** The weight of every label, [batch, ...]; undefined when all are 1. */
function weightOfEach(
  { emit, attributes }: { emit: Emitter; attributes: Attributes },
  { labels, like, weights }: { labels: Value; like: Value; weights: Value | undefined },
): Value | undefined {
  const ignored = attributes.has("ignore_index") ? emit.op("Equal", [labels, emit.scalar(attributes.int("ignore_index"), labels.dtype)]) : undefined;
  if (weights === undefined) return ignored && asNumber(emit, emit.op("Not", [ignored]), like);
  // An ignored label may lie outside the classes: look class 0 up instead, and let it count nothing.
  const safe = ignored ? emit.op("Where", [ignored, emit.scalar(0, labels.dtype), labels]) : labels;
  const found = emit.op("Gather", [weights, safe]);
  return ignored ? emit.op("Where", [ignored, emit.scalar(0, like.dtype), found]) : found;
}

function reduced(emit: Emitter, losses: Value, { attributes, weights }: { attributes: Attributes; weights: Value | undefined }): Value {
  const reduction = attributes.string("reduction");
  if (reduction === "none") return losses;
  if (reduction === "mean" && weights === undefined) return emit.op("ReduceMean", [losses], { keepdims: 0 });
  const sum = emit.op("ReduceSum", [losses], { keepdims: 0 });
  return reduction === "mean" && weights ? emit.op("Div", [sum, emit.op("ReduceSum", [weights], { keepdims: 0 })]) : sum;
}

/** d loss of each label by its unweighted loss: a scalar, or [batch, ...]. */
function scaleOfEach(
  emit: Emitter,
  dLoss: Value,
  { attributes, weights, labels }: { attributes: Attributes; weights: Value | undefined; labels: Value },
): Value {
  if (attributes.string("reduction") !== "mean") return weights ? emit.op("Mul", [dLoss, weights]) : dLoss;
  const total = weights
    ? emit.op("ReduceSum", [weights], { keepdims: 0 })
    : countAlong(emit, labels, { axes: [...labels.shape.keys()], dtype: dLoss.dtype });
  const share = emit.op("Div", [dLoss, total]);
  return weights ? emit.op("Mul", [share, weights]) : share;
}
