import type { Node, ValueName } from "../../../core/index.ts";
import { planMergeHeads, planSplitHeads } from "../kernels/heads.ts";
import { biasedProduct, type BiasedProduct } from "./biased-product.ts";
import type { Fusion, FusionContext } from "./fusion.ts";
import { isReadAfter, summedRows } from "./sums.ts";

/** A dense layer's bias and the exchange of places and heads after it, with attention's scale. */
export const splitHeads: Fusion = {
  name: "SplitHeads",
  match(node, context) {
    const found = node.operator === "Mul" ? scaled(node, context) : { exchange: node, scale: 1 };
    const parts = found && biasedHeads(found.exchange, context);
    if (parts === undefined) return undefined;
    return {
      inputs: [parts.product, parts.bias],
      outputs: [node.outputs[0] ?? ""],
      plan: ({ outputs: [y] }) => planSplitHeads(y, found?.scale ?? 1),
    };
  },
};

/** The exchange back of a gradient and its sum over all places, the gradient of that bias. */
export const mergeHeads: Fusion = {
  name: "MergeHeads",
  match(node, context) {
    const rows = summedRows(node, context) ?? "";
    const exchange = context.producer(context.producer(rows, "Reshape")?.inputs[0], "Transpose");
    const [x = ""] = exchange?.inputs ?? [];
    const shape = context.graph.values[x]?.shape;
    const isMerged = context.graph.values[rows]?.shape.join() === [shape?.[0], shape?.[2], Number(shape?.[1]) * Number(shape?.[3])].join();
    if (exchange === undefined || !exchangesHeads(exchange) || !isMerged || !isReadAfter(rows, node, context)) return undefined;
    return { inputs: [x], outputs: [rows, node.outputs[0] ?? ""], plan: ({ inputs: [type] }) => planMergeHeads(type) };
  },
};

interface Scaled {
  readonly exchange: Node;
  readonly scale: number;
}

/** An exchange that is read by nothing but a multiplication with a number. */
function scaled({ inputs }: Node, { producer, number, uses }: FusionContext): Scaled | undefined {
  for (const [value = "", factor] of [inputs, inputs.toReversed()]) {
    const [exchange, scale] = [producer(value, "Transpose"), number(factor)];
    if (exchange !== undefined && scale !== undefined && uses(value) === 1) return { exchange, scale };
  }
  return undefined;
}

function biasedHeads(exchange: Node, context: FusionContext): BiasedProduct | undefined {
  const { graph, producer } = context;
  const split = exchangesHeads(exchange) ? producer(exchange.inputs[0], "Reshape") : undefined;
  const [rows = ""] = split?.inputs ?? [];
  const sizes = (value: ValueName): readonly unknown[] => graph.values[value]?.shape ?? [];
  const [batch, length, heads, size] = sizes(split?.outputs[0] ?? "");
  return sizes(rows).join() === [batch, length, Number(heads) * Number(size)].join() ? biasedProduct(rows, context) : undefined;
}

/** Whether a node exchanges the middle axes of four. */
function exchangesHeads({ operator, attributes }: Node): boolean {
  const perm = attributes["perm"];
  return operator === "Transpose" && Array.isArray(perm) && perm.join() === "0,2,1,3";
}
