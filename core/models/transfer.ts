import { EspalierError } from "../errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { copyInto } from "../graph/copy-into.ts";
import type { Graph, Node, ValueName } from "../graph/graph.ts";
import { simplify } from "../graph/simplify.ts";
import { initialize } from "../layers/initializer.ts";
import { suggestNames } from "../nearest.ts";
import { deriveSeed, Random } from "../random.ts";
import { tensor, zeros } from "../tensor.ts";
import { freeze } from "./freeze.ts";
import { headUnits, type Head } from "./head.ts";
import type { Model } from "./model.ts";

/** How a trained model's body gets another head. */
export interface TransferOptions {
  /** What the new head answers. */
  readonly head: Head;
  /** The value of the model's graph that the new head reads, [batch, width]. Default: what its last product of matrices reads. */
  readonly cut?: ValueName;
  /** Whether training leaves the body as it is. Default true: the head learns first; `unfreeze(model, ["*"])` and smaller rates for the body come after. */
  readonly freezeBody?: boolean;
  /** Before the new head. Default 0. */
  readonly dropoutRate?: number;
  readonly seed?: number;
}

/**
 * A trained model with a new last layer: everything up to the cut keeps its weights and their names, the state of the old head is gone.
 *
 * @param model from `loadBundle(...).model`, `importOnnx` or training
 * @returns a model whose new state is `transfer_head/kernel` [width, units] and `transfer_head/bias` [units]
 * @throws ARGUMENT_INVALID for a cut that is no value of the graph, a rate outside [0, 1), or a model without a product of matrices; GRAPH_SHAPE when the cut is not float32 [batch, width]
 * @example
 * const model = transfer(pretrained, { head: { task: "classification", classes: 3 } });
 * const warm = await fit({ model, ... });
 * const groups = [{ match: "stage*", learningRateFactor: 0.1 }];
 * const tuned = await fit({ model: unfreeze(warm.model, ["*"]), optimizer: adamW({ learningRate: 1e-4, groups }), ... });
 */
export function transfer(model: Model, { head, cut, freezeBody = true, dropoutRate = 0, seed = 0 }: TransferOptions): Model {
  if (!(dropoutRate >= 0 && dropoutRate < 1)) {
    throw new EspalierError("ARGUMENT_INVALID", `transfer: dropoutRate must be from 0 to below 1, not ${dropoutRate}`, { dropoutRate });
  }
  const { units, output } = headUnits(head);
  const body = bodyOf(model, cut ?? inputOfLastProduct(model.graph));
  const builder = new GraphBuilder(body.graph.name);
  const features = copyInto(builder, body.graph)["features"];
  const width = features?.shape[1];
  if (features?.dtype !== "float32" || features.shape.length !== 2 || typeof width !== "number") {
    const { dtype, shape } = features ?? { dtype: "nothing", shape: [] };
    throw new EspalierError(
      "GRAPH_SHAPE",
      `transfer: a new head reads float32 [batch, width], but the cut "${cut ?? ""}" is ${dtype} [${shape.join(", ")}]`,
      {
        cut,
        shape,
      },
    );
  }
  const dropped =
    dropoutRate === 0
      ? features
      : builder.op("Dropout", [features, builder.scalar(dropoutRate, "float32")], {}, { name: builder.freshName("transfer_dropout") });
  const names = ["kernel", "bias"].map((name) => freeStateName(builder, `transfer_head/${name}`)) as [string, string]; // two names
  const kernel = builder.state(names[0], "float32", [width, units]);
  const bias = builder.state(names[1], "float32", [units]);
  builder.output(output, builder.op("Gemm", [dropped, kernel, bias]));
  const random = new Random(deriveSeed(seed, names[0]));
  const values = initialize("glorotUniform", { shape: [width, units], fanIn: width, fanOut: units, random });
  const transferred: Model = {
    graph: builder.build(),
    state: { ...body.state, [names[0]]: tensor("float32", [width, units], values), [names[1]]: zeros("float32", [units]) },
    config: { name: "transfer", body: model.config, units, dropoutRate, seed },
    ...(body.parameters && { parameters: body.parameters }),
  };
  return freezeBody && body.graph.state.length > 0
    ? freeze(
        transferred,
        body.graph.state.map(({ name }) => name),
      )
    : transferred;
}

/**
 * A model up to one of its values, which becomes the output `features`: an extractor of features. State and inputs that it does not need are gone.
 *
 * @throws ARGUMENT_INVALID for a name that is no value of the graph
 */
export function bodyOf(model: Model, cut: ValueName): Model {
  if (!Object.hasOwn(model.graph.values, cut)) {
    throw new EspalierError("ARGUMENT_INVALID", `"${model.graph.name}" has no value "${cut}"${suggestNames(cut, Object.keys(model.graph.values))}`, {
      cut,
    });
  }
  const cutGraph = simplify({ ...model.graph, outputs: { features: cut }, updates: {} });
  const used = new Set(cutGraph.nodes.flatMap((node) => node.inputs).concat(Object.values(cutGraph.outputs)));
  const keep = <T extends { readonly name: ValueName }>(items: readonly T[]): readonly T[] => items.filter(({ name }) => used.has(name));
  const graph: Graph = { ...cutGraph, inputs: keep(cutGraph.inputs), state: keep(cutGraph.state) };
  const kept = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(record).filter(([name]) => used.has(name)));
  return {
    graph,
    state: kept(model.state),
    config: { name: "body", of: model.config, cut },
    ...(model.parameters && { parameters: kept(model.parameters) }),
  };
}

const products: ReadonlySet<string> = new Set(["Gemm", "MatMul"]);

function inputOfLastProduct(graph: Graph): ValueName {
  const state = new Set(graph.state.map(({ name }) => name));
  const isHead = (node: Node): boolean => products.has(node.operator) && state.has(node.inputs[1] ?? "");
  const last = graph.nodes.findLast(isHead);
  if (last !== undefined) return last.inputs[0] ?? "";
  throw new EspalierError("ARGUMENT_INVALID", `transfer: "${graph.name}" ends in no dense layer; say where to cut it`, { graph: graph.name });
}

function freeStateName(builder: GraphBuilder, base: string): string {
  if (builder.isFree(base)) return base;
  return builder.freshName(base);
}
