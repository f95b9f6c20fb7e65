import { EspalierError } from "../errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { copyInto } from "../graph/copy-into.ts";
import { differentiate } from "../graph/differentiate.ts";
import type { Graph, StateValue, ValueName } from "../graph/graph.ts";
import { simplify } from "../graph/simplify.ts";
import { trainingForm } from "../graph/training-form.ts";
import { isFrozen } from "../models/freeze.ts";
import { suggestNames } from "../nearest.ts";
import type { Model } from "../models/model.ts";
import type { Value } from "../operators/operator.ts";
import { activityPenalties } from "./activity-penalties.ts";
import { constrain } from "./constraint.ts";
import { addLosses, type Losses } from "./loss-terms.ts";
import { currentScale, scaled, skipUnlessFinite, unscale, zeroUnlessFinite, type LossScaling, type Unscaled } from "./loss-scaling.ts";
import { mixedPrecision, precisions, type Precision } from "./mixed-precision.ts";
import type { Optimizer } from "./optimizers/index.ts";
import { slots } from "./optimizers/slots.ts";
import { regularize } from "./regularizer.ts";

/** Names of accumulated gradients begin so. */
export const meanPrefix = "accumulated";

/** What turns a model into a training step. */
export interface TrainingGraphOptions {
  readonly loss: Losses;
  readonly optimizer: Optimizer;
  /** Gradients are scaled down together when their common Euclidean norm is above this. Default: never. */
  readonly globalClipNorm?: number;
  /** Whether every row has a weight: an input `weights` float32 [batch], and losses become weighted means. */
  readonly sampleWeights?: boolean;
  /** The element types that the step computes in; see `mixedPrecision`. Parameters, what is kept of them, the loss and validation stay float32. Default "float32". */
  readonly precision?: Precision;
  /** How the loss is scaled in "mixed_float16"; default PyTorch's way. */
  readonly lossScaling?: LossScaling;
  /** Whether the step returns the model's outputs too, which costs their copying. Default true. */
  readonly modelOutputs?: boolean;
}

/** What a training step is made of. */
export type TrainableModel = Pick<Model, "graph" | "parameters">;

/**
 * One training step as a graph: the model in training's form, its loss, the loss's gradients and the optimizer's update.
 *
 * Inputs: the model's, the labels, `learning_rate` float32 [], `step` int64 [] (1 in the first run), `weights` when asked for, and random numbers
 * (see `randomFeeds`). Outputs: `loss` float32 [] with the regularisers' penalties, `loss/<output>` for each of several, and the model's. State: the
 * model's and the optimizer's slots. Frozen parameters have no gradient and no slots. With "mixed_float16" the state has the loss's scale, too, and a step
 * whose gradient is not finite leaves parameters and slots as they were.
 *
 * @throws ARGUMENT_INVALID for a precision or a number of the scaling that is not there; GRAPH_INVALID when the model lacks the output that the loss reads or has nothing to train, or the loss depends on none of it; GRAPH_NOT_DIFFERENTIABLE
 */
export function createTrainingGraph(model: TrainableModel, options: TrainingGraphOptions): Graph {
  const builder = new GraphBuilder(`${model.graph.name}/training`);
  const { parameters, loss, scale } = addForward(builder, model, options);
  const rates = addRates(builder);
  const gradients = differentiate(builder, loss, parameters);
  addUpdate(builder, { ...options, model, parameters, gradients, scale, ...rates });
  return builder.build();
}

/**
 * The first half of a step with accumulated gradients: each batch takes its share in the mean gradients `accumulated/<parameter>`.
 *
 * Inputs: those of a training step without `learning_rate` and `step`, and `share` float32 [], what the batch weighs (its rows, or the sum of their weights)
 * in all batches of the update so far, and `batch_index` int64 [], its number among them, from 1: the first one starts the means anew. Running statistics
 * move with every batch.
 *
 * @throws as `createTrainingGraph`
 */
export function createAccumulationGraph(model: TrainableModel, options: Omit<TrainingGraphOptions, "optimizer" | "globalClipNorm">): Graph {
  const builder = new GraphBuilder(`${model.graph.name}/accumulation`);
  const { parameters, loss } = addForward(builder, model, options);
  const share = builder.input("share", "float32", []);
  const index = builder.input("batch_index", "int64", []);
  const gradients = differentiate(builder, loss, parameters);
  const means = slots(builder, meanPrefix, parameters);
  const outputs = builder.ops("MovingAverage", [share, index, ...means, ...gradients], means.length, { start: 1 });
  means.forEach(({ name }, i) => builder.update(name, outputs[i] as Value)); // one for each
  return builder.build();
}

/** The second half: the optimizer's update with the accumulated gradients. Inputs: `learning_rate` float32 [], `step` int64 []. No outputs. */
export function createUpdateGraph(
  model: TrainableModel,
  options: Pick<TrainingGraphOptions, "optimizer" | "globalClipNorm" | "precision" | "lossScaling">,
): Graph {
  const builder = new GraphBuilder(`${model.graph.name}/update`);
  const parameters = trainedState(model).map(({ name, dtype, shape }) => builder.state(name, dtype, shape));
  const rates = addRates(builder);
  const gradients = slots(builder, meanPrefix, parameters);
  const scale = isMixedPrecision(options) ? currentScale(builder, options.lossScaling ?? {}) : undefined;
  const unscaled = addUpdate(builder, { ...options, model, parameters, gradients, scale, ...rates });
  // What is not finite is dropped: a mean that starts anew from infinity stays there.
  if (unscaled !== undefined) zeroUnlessFinite(builder, unscaled.isFinite, gradients);
  return builder.build();
}

/**
 * The forward graph with its loss, without an update: what validation runs. As in training and in Keras, the loss has the regularisers' penalties, of
 * parameters that are not frozen and of activities.
 *
 * Inputs: the model's and the labels (`weights` too when asked for). Outputs: `loss` float32 [], `loss/<output>` for each of several, and the model's.
 *
 * @throws GRAPH_INVALID when the model lacks the output that the loss reads
 */
export function createEvaluationGraph(model: TrainableModel, options: Pick<TrainingGraphOptions, "loss" | "sampleWeights">): Graph {
  const builder = new GraphBuilder(`${model.graph.name}/evaluation`);
  const outputs = copyInto(builder, model.graph);
  const loss = addLosses(builder, outputs, { ...options, graphName: model.graph.name });
  const parameters = unfrozenState(model).map(({ name }) => builder.value(name));
  builder.output("loss", addPenalties(builder, loss, { parameters, model }));
  declareOutputs(builder, outputs);
  return builder.build();
}

function unfrozenState(model: TrainableModel): readonly StateValue[] {
  return model.graph.state.filter(({ name, role }) => role === "parameter" && !isFrozen(model, name));
}

/** The parameters that training changes. @throws GRAPH_INVALID when there are none */
function trainedState(model: TrainableModel): readonly StateValue[] {
  const { graph } = model;
  const trained = unfrozenState(model);
  if (trained.length > 0) return trained;
  const why = graph.state.some(({ role }) => role === "parameter") ? "parameters are all frozen" : "has no parameters to train";
  throw new EspalierError("GRAPH_INVALID", `"${graph.name}" ${why}`, { graph: graph.name });
}

interface Forward {
  readonly parameters: readonly Value[];
  /** What is differentiated. */
  readonly loss: Value;
  /** What it was multiplied by. */
  readonly scale: Value | undefined;
}

/** The model in training's form, its losses and penalties. */
function addForward(builder: GraphBuilder, model: TrainableModel, options: Omit<TrainingGraphOptions, "optimizer" | "globalClipNorm">): Forward {
  const trained = trainedState(model);
  // Simplified before it is differentiated: what is fused here needs no gradient of its own.
  const form = trainingForm(simplify(model.graph), { isFrozen: (name) => isFrozen(model, name) });
  const isMixed = isMixedPrecision(options);
  const graph = isMixed ? mixedPrecision(form) : form;
  const outputs = copyInto(builder, graph);
  const parameters = trained.map(({ name }) => builder.value(name));
  const loss = addPenalties(builder, addLosses(builder, outputs, { ...options, graphName: graph.name }), { parameters, model });
  checkDependence(builder, loss, parameters);
  builder.output("loss", loss);
  if (options.modelOutputs !== false) declareOutputs(builder, outputs);
  const scale = isMixed ? currentScale(builder, options.lossScaling ?? {}) : undefined;
  return { parameters, loss: scale === undefined ? loss : scaled(builder, loss, scale), scale };
}

/** Refuses a loss that no trained parameter changes: training would do nothing. */
function checkDependence(builder: GraphBuilder, loss: Value, parameters: readonly Value[]): void {
  const reached = new Set([loss.name]);
  for (const node of builder.nodes.toReversed()) {
    if (node.outputs.some((name) => reached.has(name))) for (const name of node.inputs) reached.add(name);
  }
  if (parameters.some(({ name }) => reached.has(name))) return;
  const names = parameters.map(({ name }) => `"${name}"`).slice(0, 4);
  throw new EspalierError(
    "GRAPH_INVALID",
    `the loss depends on none of the parameters that are trained (${names.join(", ")}${parameters.length > names.length ? ", ..." : ""}); let it read an output that they make`,
    { parameters: parameters.length },
  );
}

/** @throws ARGUMENT_INVALID for a precision that is not there */
function isMixedPrecision({ precision = "float32" }: Pick<TrainingGraphOptions, "precision">): boolean {
  if (precisions.includes(precision)) return precision === "mixed_float16";
  throw new EspalierError("ARGUMENT_INVALID", `there is no precision "${precision}"${suggestNames(precision, precisions)}`, {
    precision,
  });
}

function addRates(builder: GraphBuilder): { readonly learningRate: Value; readonly step: Value } {
  return { learningRate: builder.input("learning_rate", "float32", []), step: builder.input("step", "int64", []) };
}

interface UpdateParts extends Pick<TrainingGraphOptions, "optimizer" | "globalClipNorm" | "lossScaling"> {
  readonly model: TrainableModel;
  readonly parameters: readonly Value[];
  readonly gradients: readonly Value[];
  readonly learningRate: Value;
  readonly step: Value;
  /** Of the loss that gave the gradients. */
  readonly scale: Value | undefined;
}

/** Unscaling, clipping, the optimizer, and the parameters' constraints. @returns what came of the unscaling, where the loss had a scale */
function addUpdate(builder: GraphBuilder, parts: UpdateParts): Unscaled | undefined {
  const { optimizer, globalClipNorm, lossScaling: scaling = {}, model, parameters, learningRate, scale } = parts;
  const unscaled = scale && unscale(builder, { ...parts, scale, scaling });
  const { gradients, step } = unscaled ?? parts;
  const others = new Set(updatedNames(builder));
  optimizer.apply({
    builder,
    parameters,
    gradients: globalClipNorm === undefined ? gradients : clipByGlobalNorm(builder, gradients, globalClipNorm),
    learningRate,
    step,
  });
  for (const { name } of parameters) {
    const constraint = model.parameters?.[name]?.constraint;
    // What an optimizer's group leaves as it is needs no constraint.
    if (constraint === undefined || !builder.isUpdated(name)) continue;
    builder.changeUpdate(name, (value) => builder.scope("constraint", () => constrain(builder, constraint, value)));
  }
  const written = updatedNames(builder).filter((name) => !others.has(name));
  if (unscaled !== undefined) skipUnlessFinite(builder, unscaled.isFinite, written);
  return unscaled;
}

/** The state values that a run writes back, by what is written so far. */
function updatedNames(builder: GraphBuilder): readonly ValueName[] {
  return builder.stateNames.filter((name) => builder.isUpdated(name));
}

/** The loss plus the penalties of regularised parameters and activities. */
function addPenalties(builder: GraphBuilder, loss: Value, { parameters, model }: { parameters: readonly Value[]; model: TrainableModel }): Value {
  return builder.scope("penalty", () => {
    const penalties = parameters.flatMap((parameter) => {
      const regularizer = model.parameters?.[parameter.name]?.regularizer;
      return regularizer === undefined ? [] : [regularize(builder, regularizer, parameter)];
    });
    return [...penalties, ...activityPenalties(builder)].reduce((sum, penalty) => builder.op("Add", [sum, penalty]), loss);
  });
}

function declareOutputs(builder: GraphBuilder, outputs: Readonly<Record<string, Value>>): void {
  for (const [name, value] of Object.entries(outputs)) builder.output(name, value);
}

function clipByGlobalNorm(builder: GraphBuilder, gradients: readonly Value[], limit: number): readonly Value[] {
  if (!(limit > 0 && Number.isFinite(limit))) {
    throw new EspalierError("ARGUMENT_INVALID", `globalClipNorm must be a number above 0, not ${limit}`, { globalClipNorm: limit });
  }
  return builder.scope("clip", () => {
    const squares = gradients.map((gradient) => builder.op("ReduceSum", [builder.op("Mul", [gradient, gradient])], { keepdims: 0 }));
    const norm = builder.op("Sqrt", [squares.reduce((sum, square) => builder.op("Add", [sum, square]))]);
    const bound = builder.scalar(limit, "float32");
    const scale = builder.op("Where", [builder.op("Greater", [norm, bound]), builder.op("Div", [bound, norm]), builder.scalar(1, "float32")]);
    return gradients.map((gradient) => builder.op("Mul", [gradient, scale]));
  });
}
