import { EspalierError } from "../errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { copyInto } from "../graph/copy-into.ts";
import { differentiate } from "../graph/differentiate.ts";
import type { Graph } from "../graph/graph.ts";
import type { Value } from "../operators/operator.ts";
import type { Loss } from "./losses/index.ts";
import type { Optimizer } from "./optimizers/index.ts";

/** What turns a model into a training step. */
export interface TrainingGraphOptions {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** Gradients are scaled down together when their common Euclidean norm is above this. Default: never. */
  readonly globalClipNorm?: number;
}

/**
 * One training step as a graph: the forward graph, its loss, the loss's gradients and the optimizer's update.
 *
 * Inputs: the model's, `labels`, `learning_rate` float32 [] and `step` int64 [] (1 in the first run). Outputs: `loss` float32 [] and
 * the model's. State: the model's and the optimizer's slots.
 *
 * @throws GRAPH_INVALID when the model lacks the output that the loss reads or has no parameters; GRAPH_NOT_DIFFERENTIABLE
 */
export function createTrainingGraph(graph: Graph, { loss, optimizer, globalClipNorm }: TrainingGraphOptions): Graph {
  const builder = new GraphBuilder(`${graph.name}/training`);
  const lossValue = addLoss(builder, graph, loss);
  const learningRate = builder.input("learning_rate", "float32", []);
  const step = builder.input("step", "int64", []);
  const parameters = graph.state.filter(({ role }) => role === "parameter").map(({ name }) => builder.value(name));
  if (parameters.length === 0) throw new EspalierError("GRAPH_INVALID", `"${graph.name}" has no parameters to train`, { graph: graph.name });
  const gradients = differentiate(builder, lossValue, parameters);
  optimizer.apply({
    builder,
    parameters,
    gradients: globalClipNorm === undefined ? gradients : clipByGlobalNorm(builder, gradients, globalClipNorm),
    learningRate,
    step,
  });
  return builder.build();
}

/**
 * The forward graph with its loss, without an update: what validation runs.
 *
 * Inputs: the model's and `labels`. Outputs: `loss` float32 [] and the model's.
 *
 * @throws GRAPH_INVALID when the model lacks the output that the loss reads
 */
export function createEvaluationGraph(graph: Graph, { loss }: { readonly loss: Loss }): Graph {
  const builder = new GraphBuilder(`${graph.name}/evaluation`);
  addLoss(builder, graph, loss);
  return builder.build();
}

/** Copies the model into a new graph, declares its outputs and adds the loss. */
function addLoss(builder: GraphBuilder, graph: Graph, loss: Loss): Value {
  const outputs = copyInto(builder, graph);
  const output = outputs[loss.output];
  if (output === undefined) {
    const names = Object.keys(outputs).join(", ");
    throw new EspalierError("GRAPH_INVALID", `${loss.name} reads the output "${loss.output}", but "${graph.name}" has ${names}`, { loss: loss.name });
  }
  const { dtype, shape } = loss.labels(output);
  const value = builder.scope("loss", () => loss.build(builder, output, builder.input("labels", dtype, shape)));
  builder.output("loss", value);
  for (const [name, copied] of Object.entries(outputs)) builder.output(name, copied);
  return value;
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
