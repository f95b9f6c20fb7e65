import { toNumbers, type Node, type ValueName } from "../../../core/index.ts";
import type { Bounds } from "../kernels/bounds.ts";
import type { FusionContext } from "./fusion.ts";

/** What Relu, or Clip with constant bounds, keeps its input between; undefined for other nodes. */
export function boundsOf(node: Node | undefined, { graph }: FusionContext): Bounds | undefined {
  if (node?.operator === "Relu") return { low: 0, high: Infinity, passesEnds: false };
  if (node?.operator !== "Clip") return undefined;
  const [low, high] = [1, 2].map((index) => {
    const name = node.inputs[index] ?? "";
    const value = graph.constants[name];
    if (name === "") return index === 1 ? -Infinity : Infinity;
    return value && toNumbers(value)[0];
  });
  return low === undefined || high === undefined || !(low < Infinity && high > -Infinity) ? undefined : { low, high, passesEnds: true };
}

/** A gradient that an activation let pass, as the gradients of Relu and Clip are written. */
export interface MaskedGradient {
  /** By what the activation gave. */
  readonly gradient: ValueName;
  readonly activation: Node;
  readonly bounds: Bounds;
}

/** The parts of dY Cast(Greater(Relu(x), 0)) or dY Cast(Equal(x, Clip(x))), or undefined. */
export function maskedGradient(node: Node | undefined, context: FusionContext): MaskedGradient | undefined {
  const { graph, producer } = context;
  const [gradient = "", mask] = node?.operator === "Mul" ? node.inputs : [];
  const comparison = producer(producer(mask, "Cast")?.inputs[0]);
  const [left, right = ""] = comparison?.inputs ?? [];
  const activation = comparison?.operator === "Greater" ? producer(left, "Relu") : producer(right, "Clip");
  const bounds = boundsOf(activation, context);
  if (activation === undefined || bounds === undefined) return undefined;
  const zero = graph.constants[right];
  const isRule =
    activation.operator === "Relu"
      ? zero !== undefined && zero.shape.length === 0 && toNumbers(zero)[0] === 0
      : comparison?.operator === "Equal" && activation.inputs[0] === left;
  return isRule ? { gradient, activation, bounds } : undefined;
}
