import {
  findOperator,
  lower,
  readAttributes,
  simplify,
  widenFloat16,
  type Attributes,
  type Graph,
  type Node,
  type OnnxModel,
  type Tensor,
  type ValueName,
} from "../../core/index.ts";
import { assemble, type AssembleOptions } from "./assemble.ts";
import { supports, supportsWithKernels } from "./capabilities.ts";
import type { KernelCall } from "./kernels/compile.ts";
import { fusedOptimizers, type FusedOptimizer } from "./optimizers/index.ts";
import { shareTransposes } from "./shared-transposes.ts";

/** Where the host finds a value after the model ran. */
export type Source =
  | { readonly kind: "feed" | "state"; readonly name: ValueName }
  | { readonly kind: "constant"; readonly value: Tensor }
  | { readonly kind: "computed"; /** An output of the ONNX model. */ readonly name: string };

/** One parameter's part of an optimizer node. */
export interface OptimizerTarget {
  readonly parameter: ValueName;
  readonly slots: readonly ValueName[];
  readonly gradient: Source;
}

/** An optimizer node that was taken off the graph. */
export interface OptimizerStep {
  /** The graph's node. */
  readonly node: string;
  readonly optimizer: FusedOptimizer;
  readonly attributes: Attributes;
  readonly rate: Source;
  readonly step: Source;
  readonly targets: readonly OptimizerTarget[];
}

/** How one run of a graph goes: the ONNX model, then the optimizers over host memory, then the other updates. */
export interface Plan {
  /** Undefined when nothing is left to compute. */
  readonly model: OnnxModel | undefined;
  /** What kernels of our own compute inside the model. */
  readonly calls: readonly KernelCall[];
  /** The model's inputs that are fed and that are state. */
  readonly feeds: readonly ValueName[];
  readonly state: readonly ValueName[];
  readonly outputs: Readonly<Record<string, Source>>;
  readonly updates: Readonly<Record<ValueName, Source>>;
  readonly optimizers: readonly OptimizerStep[];
}

/**
 * Plans a graph's runs.
 *
 * @param options.initializers state values written into the model, where ONNX Runtime packs them once; only for graphs that nobody updates
 * @param options.kernels whether nodes may be computed by kernels of our own; default no
 * @throws BACKEND_OPERATOR_MISSING
 */
export function planGraph(original: Graph, { initializers = {}, kernels = false }: Partial<Omit<AssembleOptions, "isTraining">> = {}): Plan {
  const graph = widenFloat16(original);
  const split = splitOptimizers(graph);
  const outside = new Set([...graph.inputs, ...graph.state].map((value) => value.name));
  const wanted = [
    ...new Set([
      ...Object.values(graph.outputs),
      ...Object.values(split.updates),
      ...split.nodes.flatMap(({ node, targets }) => [...node.inputs.slice(0, 2), ...targets.map((target) => target.gradient)]),
    ]),
  ].filter((value) => !outside.has(value));
  const forward: Graph = { ...graph, nodes: split.rest, updates: {}, outputs: Object.fromEntries(wanted.map((value) => [value, value])) };
  const written = lower(forward, kernels ? supportsWithKernels : supports);
  // A step's normalisations want the same statistics forward and backward: one node of those that lowering repeats is enough.
  const lowered = shareTransposes(written === forward ? forward : simplify(written));
  const sourceOf = (value: ValueName): Source => {
    const name = lowered.outputs[value] ?? value;
    const constant = lowered.constants[name];
    if (constant !== undefined) return { kind: "constant", value: constant };
    if (lowered.inputs.some((input) => input.name === name)) return { kind: "feed", name };
    if (lowered.state.some((state) => state.name === name)) return { kind: "state", name };
    return { kind: "computed", name };
  };
  const computed = [...new Set(wanted.map(sourceOf).flatMap((source) => (source.kind === "computed" ? [source.name] : [])))];
  const { model, names, calls } = assemble(lowered, computed, { initializers, kernels, isTraining: Object.keys(graph.updates).length > 0 });
  const source = (value: ValueName): Source => {
    const found = sourceOf(value);
    return found.kind === "computed" ? { kind: "computed", name: names.get(found.name) ?? found.name } : found;
  };
  const inputs = new Set(model.inputs.map((input) => input.name));
  return {
    model: computed.length === 0 ? undefined : model,
    calls,
    feeds: graph.inputs.map((input) => input.name).filter((name) => inputs.has(name)),
    state: graph.state.map((state) => state.name).filter((name) => inputs.has(name)),
    outputs: mapValues(graph.outputs, source),
    updates: mapValues(split.updates, source),
    optimizers: split.nodes.map(({ node, optimizer, attributes, targets }) => ({
      node: node.name,
      optimizer,
      attributes,
      rate: source(node.inputs[0] ?? ""),
      step: source(node.inputs[1] ?? ""),
      targets: targets.map((target) => ({ parameter: target.parameter, slots: target.slots, gradient: source(target.gradient) })),
    })),
  };
}

interface SplitNode {
  readonly node: Node;
  readonly optimizer: FusedOptimizer;
  readonly attributes: Attributes;
  readonly targets: readonly { readonly parameter: ValueName; readonly slots: readonly ValueName[]; readonly gradient: ValueName }[];
}

interface Split {
  readonly nodes: readonly SplitNode[];
  readonly rest: readonly Node[];
  /** Updates that the optimizers do not make. */
  readonly updates: Readonly<Record<ValueName, ValueName>>;
}

/**
 * Takes optimizer nodes off the graph whose every output is written back to the state that it was computed from and used nowhere else.
 *
 * As graph nodes they cost most of a step: 582 ms against 101 ms for Adam over 25 million parameters.
 */
function splitOptimizers(graph: Graph): Split {
  const uses = new Map<ValueName, number>();
  for (const value of [...graph.nodes.flatMap((node) => node.inputs), ...Object.values(graph.outputs), ...Object.values(graph.updates)]) {
    uses.set(value, (uses.get(value) ?? 0) + 1);
  }
  const updates = { ...graph.updates };
  const nodes: SplitNode[] = [];
  const rest: Node[] = [];
  const written = new Set<ValueName>();
  for (const node of graph.nodes) {
    const split = splitNode(graph, node, uses);
    // The host would read what an earlier optimizer has just written over.
    if (split === undefined || split.targets.some(({ gradient }) => written.has(gradient))) {
      rest.push(node);
      continue;
    }
    nodes.push(split);
    for (const target of split.targets) {
      for (const state of [target.parameter, ...target.slots]) {
        delete updates[state];
        written.add(state);
      }
    }
  }
  return { nodes, rest, updates };
}

function splitNode(graph: Graph, node: Node, uses: ReadonlyMap<ValueName, number>): SplitNode | undefined {
  const optimizer = fusedOptimizers.find((item) => item.operator === node.operator);
  const operator = findOperator(node.operator);
  if (optimizer === undefined || operator === undefined) return undefined;
  const count = node.inputs.length - 2 - node.outputs.length; // n parameters have n(2 + slots) inputs after R and T, and n(1 + slots) outputs
  const slots = node.outputs.length / count - 1;
  const group = (index: number): readonly ValueName[] => node.inputs.slice(2 + index * count, 2 + (index + 1) * count);
  const stateful = [group(0), ...Array.from({ length: slots }, (_, slot) => group(slot + 2))];
  const written = stateful.flat();
  const inPlace =
    new Set(written).size === written.length &&
    written.every((state, i) => graph.updates[state] === node.outputs[i] && uses.get(node.outputs[i] ?? "") === 1);
  if (!inPlace) return undefined;
  const targets = group(0).map((parameter, i) => ({
    parameter,
    gradient: group(1)[i] ?? "",
    slots: stateful.slice(1).map((slot) => slot[i] ?? ""),
  }));
  return { node, optimizer, attributes: readAttributes(operator, node.name, node.attributes), targets };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Readonly<Record<string, B>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
