import { bindBatch } from "../graph/bind-batch.ts";
import type { Graph, Node, ValueName } from "../graph/graph.ts";
import { lower } from "../graph/lower.ts";
import { bytesPerElement, elementCount } from "../tensor.ts";
import { valueBytes, type BoundTypes } from "./sizes.ts";

/** Bytes that a graph needs while it runs. */
export interface MemoryEstimate {
  readonly batch: number;
  readonly parameters: number;
  /** Running statistics. */
  readonly statistics: number;
  /** The optimizer's, and accumulated gradients. */
  readonly slots: number;
  /** What a run is fed. */
  readonly feeds: number;
  readonly constants: number;
  /** The most that values between the nodes, gradients among them, need at one time. */
  readonly activations: number;
  /** The node at which that is. */
  readonly peakNode: string | undefined;
  /** All of the above. */
  readonly total: number;
}

/** Operators whose result is its input's memory under another shape. */
const views: ReadonlySet<string> = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout"]);

/**
 * What a graph needs in memory at a batch size: its state, and by the lifetimes of values the most that is alive at one time when nodes run in their order and a
 * value is let go after its last use. Results and gradients live until the end.
 *
 * A backend may need less (results written over inputs) or more: packed weights, scratch memory of convolutions and their gradients, memory kept for reuse.
 * ONNX Runtime's peak was 2.2 to 2.4 times the estimate for a convolutional network of 64 to 512 rows.
 *
 * @param options.supports operators that the backend has kernels for: others are lowered first. Default: all
 * @throws ARGUMENT_INVALID, GRAPH_SHAPE as `bindBatch`
 */
export function estimateMemory(
  graph: Graph,
  { batch = 1, supports }: { readonly batch?: number; readonly supports?: (operator: string) => boolean } = {},
): MemoryEstimate {
  const bound = bindBatch(supports === undefined ? graph : lower(graph, supports), batch);
  const ofState = (role: string): number =>
    bound.state
      .filter((state) => state.role === role)
      .reduce((sum, { dtype, shape }) => sum + (dtype === "string" ? 0 : elementCount(shape) * bytesPerElement[dtype]), 0);
  const types = { types: bound.values, batch };
  const feeds = bound.inputs.reduce((sum, { name }) => sum + valueBytes(name, types), 0);
  const constants = Object.keys(bound.constants).reduce((sum, name) => sum + valueBytes(name, types), 0);
  const { peak, node } = peakOf(bound, types);
  const [parameters, statistics, slots] = [ofState("parameter"), ofState("statistic"), ofState("slot")];
  const total = parameters + statistics + slots + feeds + constants + peak;
  return { batch, parameters, statistics, slots, feeds, constants, activations: peak, peakNode: node, total };
}

/** The largest sum of live values, walking the nodes in their order. */
function peakOf(graph: Graph, types: BoundTypes): { readonly peak: number; readonly node: string | undefined } {
  const owner = ownersOf(graph.nodes);
  const ownerOf = (name: ValueName): ValueName => owner.get(name) ?? name;
  const lasting = new Set([...Object.values(graph.outputs), ...Object.values(graph.updates)].map(ownerOf));
  const lastUse = new Map<ValueName, number>();
  graph.nodes.forEach((node, i) => [...node.inputs, ...node.outputs].forEach((name) => lastUse.set(ownerOf(name), i)));
  const live = new Map<ValueName, number>();
  let sum = 0;
  let peak = 0;
  let peakNode: string | undefined;
  const isUpdate = updatesInPlace(graph);
  graph.nodes.forEach((node, i) => {
    for (const output of node.outputs) {
      if (ownerOf(output) !== output || isUpdate(node)) continue;
      const bytes = valueBytes(output, types);
      live.set(output, bytes);
      sum += bytes;
    }
    if (sum > peak) [peak, peakNode] = [sum, node.name];
    for (const name of new Set([...node.inputs, ...node.outputs].map(ownerOf))) {
      if (lastUse.get(name) !== i || lasting.has(name)) continue;
      sum -= live.get(name) ?? 0;
      live.delete(name);
    }
  });
  return { peak, node: peakNode };
}

/** Each view's memory is that of the value which it shows. */
function ownersOf(nodes: readonly Node[]): ReadonlyMap<ValueName, ValueName> {
  const owner = new Map<ValueName, ValueName>();
  for (const { operator, inputs, outputs } of nodes) {
    const [input = "", output = ""] = [inputs[0], outputs[0]];
    if (views.has(operator)) owner.set(output, owner.get(input) ?? input);
  }
  return owner;
}

/** Optimizers write over the state that they read: their results need no memory of their own. */
function updatesInPlace({ updates, outputs }: Graph): (node: Node) => boolean {
  const written = new Set(Object.values(updates));
  const returned = new Set(Object.values(outputs));
  const states = new Set(Object.keys(updates));
  return (node) =>
    node.outputs.every((name) => written.has(name) && !returned.has(name)) && node.outputs.length > 0 && node.inputs.some((name) => states.has(name));
}
