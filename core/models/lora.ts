import { EspalierError } from "../errors.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import type { Graph, Node, ValueName } from "../graph/graph.ts";
import { rewrite } from "../graph/rewrite.ts";
import { simplify } from "../graph/simplify.ts";
import type { Value } from "../operators/operator.ts";
import { deriveSeed, Random } from "../random.ts";
import { tensor, zeros, type Tensor } from "../tensor.ts";
import { freeze, matchName } from "./freeze.ts";
import type { Model } from "./model.ts";

/** Which weights get an addition of low rank, and which. */
export interface LoraOptions {
  /** Names of weights, `*` stands for any text. Default: every weight of a dense layer or of attention. */
  readonly match?: readonly string[];
  /** Columns of the first matrix, rows of the second. Default 8. */
  readonly rank?: number;
  /** The addition is scaled by alpha / rank. Default: twice the rank. */
  readonly alpha?: number;
  readonly seed?: number;
}

/**
 * Fine-tunes few numbers instead of all: each chosen weight W [inputs, outputs] is frozen and gets an addition (alpha / rank) A B with A [inputs, rank] and
 * B [rank, outputs]. B starts at zero, so that the model starts as it was. Everything else is frozen too; `unfreeze` what shall be trained besides.
 *
 * @returns a model whose new state is `<weight>/lora_a` and `<weight>/lora_b`
 * @throws ARGUMENT_INVALID when no weight of a product of matrices matches, or for a rank or alpha out of range
 * @see E. J. Hu et al., LoRA: low-rank adaptation of large language models (2021), https://arxiv.org/abs/2106.09685
 */
export function withLora(model: Model, { match = ["*"], rank = 8, alpha = 2 * rank, seed = 0 }: LoraOptions = {}): Model {
  if (!Number.isSafeInteger(rank) || rank < 1)
    throw new EspalierError("ARGUMENT_INVALID", `withLora: rank must be a whole number from 1, not ${rank}`, { rank });
  if (!(alpha > 0 && Number.isFinite(alpha)))
    throw new EspalierError("ARGUMENT_INVALID", `withLora: alpha must be a number above 0, not ${alpha}`, { alpha });
  const weights = weightsOf(model.graph);
  const tests = match.map(matchName);
  const chosen = new Map([...weights].filter(([name]) => tests.some((matches) => matches(name))));
  if (chosen.size === 0) {
    const names = [...weights.keys()].join(", ") || "none";
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `withLora: no weight of "${model.graph.name}" matches ${match.join(", ")}; those of products of matrices are ${names}`,
      {
        match,
      },
    );
  }
  const added: Record<string, Tensor> = {};
  const graph = rewrite(model.graph, {
    node(builder, node) {
      const weight = chosen.get(node.inputs[1] ?? "");
      if (weight === undefined || !isProduct(node)) return builder.addNode(node);
      const names = loraNames(weight.name);
      const matrices: Record<string, Tensor> = {
        [names.a]: firstMatrix(weight, { rank, seed }),
        [names.b]: zeros("float32", [rank, weight.outputs]),
      };
      for (const [name, value] of Object.entries(matrices)) {
        if (!builder.has(name)) builder.state(name, value.dtype, value.shape);
        added[name] = value;
      }
      const [product] = builder.addNode(node);
      const x = builder.value(node.inputs[0] ?? "");
      if (product === undefined) return []; // a product has one output
      return [builder.scope(`${node.name}/lora`, () => withAddition(builder, { product, x, names, scale: alpha / rank }))];
    },
  });
  const frozen = freeze(
    { ...model, graph, state: { ...model.state, ...added } },
    model.graph.state.map(({ name }) => name),
  );
  return { ...frozen, config: { ...model.config, lora: { rank, alpha, match, seed } } };
}

/**
 * The model with its additions of low rank worked into the weights: the graph that it had before, for serving without any cost.
 *
 * @param model of `withLora`, trained or not
 * @throws ARGUMENT_INVALID when it has none
 */
export function mergeLora(model: Model): Model {
  const lora = model.config["lora"] as Required<LoraOptions> | undefined; // withLora wrote it
  if (lora === undefined) {
    throw new EspalierError("ARGUMENT_INVALID", `mergeLora: "${model.graph.name}" was not made by withLora`, { graph: model.graph.name });
  }
  const state: Record<string, Tensor> = { ...model.state };
  for (const weight of weightsOf(model.graph).values()) {
    const names = loraNames(weight.name);
    const [whole, a, b] = [state[weight.name], state[names.a], state[names.b]];
    if (whole === undefined || a === undefined || b === undefined) continue;
    state[weight.name] = plusProduct(whole, { a, b, scale: lora.alpha / lora.rank, weight });
    delete state[names.a];
    delete state[names.b];
  }
  const kept = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(record).filter(([name]) => Object.hasOwn(state, name)));
  const { lora: _, ...config } = model.config;
  return {
    ...model,
    graph: withoutAdditions(model.graph, (name) => Object.hasOwn(state, name)),
    state,
    config,
    ...(model.parameters && { parameters: kept(model.parameters) }),
  };
}

/** A weight of a product of matrices. */
interface Weight {
  /** Its state value. */
  readonly name: ValueName;
  readonly inputs: number;
  readonly outputs: number;
  /** Whether it is kept as [outputs, inputs]. */
  readonly transposed: boolean;
}

/** The weights of products, by the name of the value that the product reads: the state itself, or a Reshape of it. */
function weightsOf(graph: Graph): ReadonlyMap<ValueName, Weight> {
  const states = new Map<ValueName, ValueName>(graph.state.flatMap(({ name, role }) => (role === "parameter" ? [[name, name]] : [])));
  for (const node of graph.nodes) {
    const source = states.get(node.inputs[0] ?? "");
    if (node.operator === "Reshape" && source !== undefined) states.set(node.outputs[0] ?? "", source);
  }
  const weights = new Map<ValueName, Weight>();
  for (const node of graph.nodes) {
    const value = node.inputs[1] ?? "";
    const name = states.get(value);
    const [rows, columns, ...more] = graph.values[value]?.shape.map(Number) ?? [];
    if (name === undefined || !isProduct(node) || rows === undefined || columns === undefined || more.length > 0) continue;
    const transposed = node.attributes["transB"] === 1;
    weights.set(value, { name, inputs: transposed ? columns : rows, outputs: transposed ? rows : columns, transposed });
  }
  return weights;
}

/** x W, with x as it is. */
function isProduct(node: Node): boolean {
  return node.operator === "MatMul" || (node.operator === "Gemm" && node.attributes["transA"] !== 1);
}

function loraNames(weight: string): { readonly a: string; readonly b: string } {
  return { a: `${weight}/lora_a`, b: `${weight}/lora_b` };
}

/** Normal, with the variance that keeps the size of x A like that of x. */
function firstMatrix({ name, inputs }: Weight, { rank, seed }: { readonly rank: number; readonly seed: number }): Tensor {
  const random = new Random(deriveSeed(seed, name, "lora"));
  return tensor("float32", [inputs, rank], random.normals(inputs * rank, { standardDeviation: 1 / Math.sqrt(inputs) }));
}

interface Addition {
  readonly product: Value;
  readonly x: Value;
  readonly names: { readonly a: string; readonly b: string };
  readonly scale: number;
}

/** product + scale (x A) B. */
function withAddition(builder: GraphBuilder, { product, x, names, scale }: Addition): Value {
  const narrow = builder.op("MatMul", [x, builder.value(names.a)]);
  const wide = builder.op("MatMul", [narrow, builder.value(names.b)]);
  return builder.op("Add", [product, builder.op("Mul", [wide, builder.scalar(scale, product.dtype)])]);
}

/** The graph without what depends on state that is gone: of a sum with it the other part stays. */
function withoutAdditions(graph: Graph, isThere: (state: ValueName) => boolean): Graph {
  const gone = new Set(graph.state.map(({ name }) => name).filter((name) => !isThere(name)));
  const merged = rewrite(graph, {
    node(builder, node) {
      const [first = ""] = node.inputs;
      if (!node.inputs.some((name) => gone.has(name))) return builder.addNode(node);
      if (node.operator === "Add" && !gone.has(first)) return [builder.value(first)];
      const outputs = builder.addNode(node); // a dead node once the sum is gone
      for (const output of outputs) gone.add(output.name);
      return outputs;
    },
  });
  const { state, ...rest } = simplify(merged);
  return { ...rest, state: state.filter(({ name }) => isThere(name)) };
}

interface Merge {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly scale: number;
  readonly weight: Weight;
}

/** W + scale A B, in W's own layout. */
function plusProduct(whole: Tensor, { a, b, scale, weight: { inputs, outputs, transposed } }: Merge): Tensor {
  const values = Float32Array.from(whole.data as Float32Array); // weights are float32
  const [left, right] = [a.data as Float32Array, b.data as Float32Array]; // as above
  const rank = left.length / inputs;
  for (let i = 0; i < inputs; i += 1) {
    for (let j = 0; j < outputs; j += 1) {
      let sum = 0;
      for (let k = 0; k < rank; k += 1) sum += left[i * rank + k]! * right[k * outputs + j]!; // inside both
      values[transposed ? j * inputs + i : i * outputs + j]! += scale * sum;
    }
  }
  return { ...whole, data: values };
}
