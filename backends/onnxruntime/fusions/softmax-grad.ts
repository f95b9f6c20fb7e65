import { findOperator, readAttributes, toNumbers, type Node } from "../../../core/index.ts";
import { planSoftmaxGrad } from "../kernels/softmax-grad.ts";
import type { Fusion, FusionContext } from "./fusion.ts";

/** Y (dY - sum(dY Y)) along the last axis, softmax's gradient. */
export const softmaxGrad: Fusion = {
  name: "SoftmaxGrad",
  match(node, context) {
    const { graph, producer } = context;
    const [y = "", difference] = node.operator === "Mul" ? node.inputs : [];
    const [dy = "", sum] = producer(difference, "Sub")?.inputs ?? [];
    const reduced = producer(sum, "ReduceSum");
    const product = reduced && sumsLastAxis(reduced, context) ? producer(reduced.inputs[0], "Mul") : undefined;
    const isOneShape = graph.values[y]?.shape.join() === graph.values[dy]?.shape.join();
    if (product === undefined || !isOneShape || [...product.inputs].toSorted().join() !== [dy, y].toSorted().join()) return undefined;
    return { inputs: [y, dy], outputs: [node.outputs[0] ?? ""], plan: ({ inputs }) => planSoftmaxGrad(inputs) };
  },
};

function sumsLastAxis(node: Node, { graph }: FusionContext): boolean {
  const operator = findOperator("ReduceSum");
  const [value = "", axes = ""] = node.inputs;
  const rank = graph.values[value]?.shape.length ?? 0;
  const given = graph.constants[axes];
  if (operator === undefined || given === undefined || readAttributes(operator, node.name, node.attributes).int("keepdims") !== 1) return false;
  const [axis, ...others] = toNumbers(given);
  return others.length === 0 && (axis === -1 || axis === rank - 1);
}
