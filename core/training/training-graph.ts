import { EspalierError } from "../errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { copyInto } from "../graph/copy-into.ts";
import { differentiate } from "../graph/differentiate.ts";
import type { Graph } from "../graph/graph.ts";
import { simplify } from "../graph/simplify.ts";
import { trainingForm } from "../graph/training-form.ts";
import { isFrozen } from "../models/freeze.ts";
import type { Model } from "../models/model.ts";
import type { Value } from "../operators/operator.ts";
import { constrain } from "./constraint.ts";
import type { Loss } from "./losses/index.ts";
import type { Optimizer } from "./optimizers/index.ts";
import { regularize } from "./regularizer.ts";

/** One of several losses: which labels it reads and how much it counts. */
export interface LossTerm {
  readonly loss: Loss;
  /** The graph's input with its labels. Default: `labels/<output>`. */
  readonly labels?: string;
  /** Default 1. */
  readonly weight?: number;
}

/** What is minimised: one loss whose labels are the input `labels`, or a weighted sum of several. */
export type Losses = Loss | readonly LossTerm[];

/** What turns a model into a training step. */
export interface TrainingGraphOptions {
  readonly loss: Losses;
  readonly optimizer: Optimizer;
  /** Gradients are scaled down together when their common Euclidean norm is above this. Default: never. */
  readonly globalClipNorm?: number;
  /** Whether every row has a weight: an input `weights` float32 [batch], and losses become weighted means. */
  readonly sampleWeights?: boolean;
}

/** What a training step is made of. */
export type TrainableModel = Pick<Model, "graph" | "parameters">;

/**
 * One training step as a graph: the model in training's form, its loss, the loss's gradients and the optimizer's update.
 *
 * Inputs: the model's, the labels, `learning_rate` float32 [], `step` int64 [] (1 in the first run), `weights` when asked for, and random numbers
 * (see `randomFeeds`). Outputs: `loss` float32 [] with the regularisers' penalties, `loss/<output>` for each of several, and the model's. State: the
 * model's and the optimizer's slots. Frozen parameters have no gradient and no slots.
 *
 * @throws GRAPH_INVALID when the model lacks the output that the loss reads or has nothing to train; GRAPH_NOT_DIFFERENTIABLE
 */
export function createTrainingGraph(model: TrainableModel, options: TrainingGraphOptions): Graph {
  const { optimizer, globalClipNorm } = options;
  // Simplified before it is differentiated: what is fused here needs no gradient of its own.
  const graph = trainingForm(simplify(model.graph), { isFrozen: (name) => isFrozen(model, name) });
  const builder = new GraphBuilder(`${graph.name}/training`);
  const trained = graph.state.filter(({ name, role }) => role === "parameter" && !isFrozen(model, name));
  if (trained.length === 0) {
    const why = graph.state.some(({ role }) => role === "parameter") ? "parameters are all frozen" : "has no parameters to train";
    throw new EspalierError("GRAPH_INVALID", `"${graph.name}" ${why}`, { graph: graph.name });
  }
  const outputs = copyInto(builder, graph);
  const parameters = trained.map(({ name }) => builder.value(name));
  const loss = addPenalties(builder, addLosses(builder, outputs, { ...options, graphName: graph.name }), { parameters, model });
  builder.output("loss", loss);
  declareOutputs(builder, outputs);
  const learningRate = builder.input("learning_rate", "float32", []);
  const step = builder.input("step", "int64", []);
  const gradients = differentiate(builder, loss, parameters);
  optimizer.apply({
    builder,
    parameters,
    gradients: globalClipNorm === undefined ? gradients : clipByGlobalNorm(builder, gradients, globalClipNorm),
    learningRate,
    step,
  });
  for (const { name } of parameters) {
    const constraint = model.parameters?.[name]?.constraint;
    if (constraint !== undefined) builder.changeUpdate(name, (value) => builder.scope("constraint", () => constrain(builder, constraint, value)));
  }
  return builder.build();
}

/**
 * The forward graph with its loss, without an update: what validation runs. Penalties of regularisers are not in it.
 *
 * Inputs: the model's and the labels (`weights` too when asked for). Outputs: `loss` float32 [], `loss/<output>` for each of several, and the model's.
 *
 * @throws GRAPH_INVALID when the model lacks the output that the loss reads
 */
export function createEvaluationGraph(model: Pick<Model, "graph">, options: Pick<TrainingGraphOptions, "loss" | "sampleWeights">): Graph {
  const builder = new GraphBuilder(`${model.graph.name}/evaluation`);
  const outputs = copyInto(builder, model.graph);
  builder.output("loss", addLosses(builder, outputs, { ...options, graphName: model.graph.name }));
  declareOutputs(builder, outputs);
  return builder.build();
}

/** Every loss with its labels' input and its weight. */
export function lossTerms(losses: Losses): readonly Required<LossTerm>[] {
  if ("build" in losses) return [{ loss: losses, labels: "labels", weight: 1 }];
  return losses.map(({ loss, labels = `labels/${loss.output}`, weight = 1 }) => ({ loss, labels, weight }));
}

interface LossContext extends Pick<TrainingGraphOptions, "loss" | "sampleWeights"> {
  /** The model's name, for errors. */
  readonly graphName: string;
}

/** Adds the losses and their labels; several are declared one by one and added up. */
function addLosses(
  builder: GraphBuilder,
  outputs: Readonly<Record<string, Value>>,
  { loss: losses, sampleWeights = false, graphName }: LossContext,
): Value {
  const terms = lossTerms(losses);
  const weights = sampleWeights ? builder.input("weights", "float32", ["batch"]) : undefined;
  const values = terms.map(({ loss, labels }) => {
    const output = outputs[loss.output];
    if (output === undefined) {
      const names = Object.keys(outputs).join(", ");
      throw new EspalierError("GRAPH_INVALID", `${loss.name} reads the output "${loss.output}", but "${graphName}" has ${names}`, {
        loss: loss.name,
      });
    }
    const { dtype, shape } = loss.labels(output);
    const target = builder.has(labels) ? builder.value(labels) : builder.input(labels, dtype, shape);
    return builder.scope("loss", () => loss.build(builder, output, target, weights));
  });
  if (terms.length > 1) values.forEach((value, i) => builder.output(`loss/${terms[i]?.loss.output}`, value));
  const weighted = values.map((value, i) => {
    const weight = terms[i]?.weight ?? 1;
    return weight === 1 ? value : builder.op("Mul", [value, builder.scalar(weight, "float32")]);
  });
  if (weighted.length === 0)
    throw new EspalierError("ARGUMENT_INVALID", `"${graphName}": the list of losses is empty; give at least one`, { graph: graphName });
  return weighted.reduce((sum, value) => builder.op("Add", [sum, value]));
}

/** The loss plus the penalties of regularised parameters. */
function addPenalties(builder: GraphBuilder, loss: Value, { parameters, model }: { parameters: readonly Value[]; model: TrainableModel }): Value {
  return builder.scope("penalty", () =>
    parameters.reduce((sum, parameter) => {
      const regularizer = model.parameters?.[parameter.name]?.regularizer;
      return regularizer === undefined ? sum : builder.op("Add", [sum, regularize(builder, regularizer, parameter)]);
    }, loss),
  );
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
