import type { Graph, Node, ValueName } from "../../core/index.ts";
import { elementRules } from "./kernels/index.ts";

const reductions: readonly string[] = ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"];

/** Inputs that only the host reads, of operators that are not elementwise. */
const hostInputs: Readonly<Record<string, readonly number[]>> = {
  Reshape: [1],
  Squeeze: [1],
  Unsqueeze: [1],
  Shape: [0],
  GatherGrad: [0],
  ...Object.fromEntries(reductions.map((name) => [name, [1]])),
};

/** Whether a kernel reads this input in device memory. */
export function isDeviceInput(node: Node, index: number): boolean {
  return !(elementRules[node.operator]?.host ?? hostInputs[node.operator] ?? []).includes(index);
}

/** The nodes whose results reach an output or a new state through device memory, in the graph's order. */
export function liveNodes(graph: Graph): readonly Node[] {
  const needed = new Set<ValueName>([...Object.values(graph.outputs), ...Object.values(graph.updates)]);
  const live = graph.nodes.toReversed().filter((node) => {
    if (!node.outputs.some((name) => needed.has(name))) return false;
    node.inputs.forEach((name, index) => {
      if (name !== "" && isDeviceInput(node, index)) needed.add(name);
    });
    return true;
  });
  return live.toReversed();
}

const optimizers: ReadonlySet<string> = new Set(["Adam", "Momentum"]);

/** Whether a node updates state in place where it can. */
export function isOptimizer(node: Node): boolean {
  return optimizers.has(node.operator);
}

/** Nodes in the order in which they run: an optimizer as late as possible, so that everyone has read the old state before it is overwritten. */
export function scheduleNodes(nodes: readonly Node[]): readonly Node[] {
  const late = new Set<Node>();
  const lateValues = new Set<ValueName>();
  for (const node of nodes) {
    if (!isOptimizer(node) && !node.inputs.some((name) => lateValues.has(name))) continue;
    late.add(node);
    for (const name of node.outputs) lateValues.add(name);
  }
  return [...nodes.filter((node) => !late.has(node)), ...nodes.filter((node) => late.has(node))];
}
