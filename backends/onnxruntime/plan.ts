import { lower, simplify, widenFloat16, type Attributes, type Graph, type OnnxModel, type Tensor, type ValueName } from "../../core/index.ts";
import { assemble, type AssembleOptions } from "./assemble.ts";
import { supports, supportsWithKernels } from "./capabilities.ts";
import type { ProductCall } from "./machine/compile.ts";
import type { KernelCall } from "./kernels/compile.ts";
import type { FusedOptimizer } from "./optimizers/index.ts";
import { shareTransposes } from "./shared-transposes.ts";
import { splitOptimizers, type Split } from "./split-optimizers.ts";

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
  /** Bool []: whether it runs. Undefined where it always does. */
  readonly condition: Source | undefined;
  readonly targets: readonly OptimizerTarget[];
}

/** How one run of a graph goes: the ONNX model, then the optimizers over host memory, then the other updates. */
export interface Plan {
  /** Undefined when nothing is left to compute. */
  readonly model: OnnxModel | undefined;
  /** What kernels of our own compute inside the model. */
  readonly calls: readonly KernelCall[];
  /** What machine code computes inside it. */
  readonly products: readonly ProductCall[];
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
 * @param options.products whether a training step's products may be machine code; default no
 * @throws BACKEND_OPERATOR_MISSING
 */
export function planGraph(original: Graph, options: Partial<Omit<AssembleOptions, "isTraining">> = {}): Plan {
  const { initializers = {}, kernels = false, products = false } = options;
  const { graph, split, wanted, forward, written } = lowerGraph(original, kernels);
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
  const assembled = assemble(lowered, computed, { initializers, kernels, products, isTraining: Object.keys(graph.updates).length > 0 });
  const { model, names } = assembled;
  const source = (value: ValueName): Source => {
    const found = sourceOf(value);
    return found.kind === "computed" ? { kind: "computed", name: names.get(found.name) ?? found.name } : found;
  };
  const inputs = new Set(model.inputs.map((input) => input.name));
  return {
    model: computed.length === 0 ? undefined : model,
    calls: assembled.calls,
    products: assembled.products,
    feeds: graph.inputs.map((input) => input.name).filter((name) => inputs.has(name)),
    state: graph.state.map((state) => state.name).filter((name) => inputs.has(name)),
    outputs: mapValues(graph.outputs, source),
    updates: mapValues(split.updates, source),
    optimizers: split.nodes.map(({ node, optimizer, attributes, condition, targets }) => ({
      node: node.name,
      optimizer,
      attributes,
      rate: source(node.inputs[0] ?? ""),
      step: source(node.inputs[1] ?? ""),
      condition: condition === undefined ? undefined : source(condition),
      targets: targets.map((target) => ({ parameter: target.parameter, slots: target.slots, gradient: source(target.gradient) })),
    })),
  };
}

/**
 * Refuses what `planGraph` would refuse with kernels or without, in a third of its time.
 *
 * @throws BACKEND_OPERATOR_MISSING
 */
export function checkGraph(graph: Graph): void {
  lowerGraph(graph, false); // kernels only add to what is there
}

interface LoweredGraph {
  readonly graph: Graph;
  readonly split: Split;
  /** Values that the host reads. */
  readonly wanted: readonly ValueName[];
  /** The graph without its optimizers, as it is and lowered. */
  readonly forward: Graph;
  readonly written: Graph;
}

function lowerGraph(original: Graph, kernels: boolean): LoweredGraph {
  const graph = widenFloat16(original);
  const split = splitOptimizers(graph);
  const outside = new Set([...graph.inputs, ...graph.state].map((value) => value.name));
  const wanted = [
    ...new Set([
      ...Object.values(graph.outputs),
      ...Object.values(split.updates),
      ...split.nodes.flatMap(({ node, condition, targets }) => [
        ...node.inputs.slice(0, 2),
        ...(condition === undefined ? [] : [condition]),
        ...targets.map((target) => target.gradient),
      ]),
    ]),
  ].filter((value) => !outside.has(value));
  const forward: Graph = { ...graph, nodes: split.rest, updates: {}, outputs: Object.fromEntries(wanted.map((value) => [value, value])) };
  const written = lower(forward, kernels ? supportsWithKernels : supports);
  return { graph, split, wanted, forward, written };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Readonly<Record<string, B>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
