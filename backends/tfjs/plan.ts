import { dispose, type Tensor as TfTensor } from "@tensorflow/tfjs-core";
import {
  EspalierError,
  bindBatch,
  findOperator,
  readAttributes,
  type Graph,
  type Node,
  type Tensor,
  type ValueName,
  type ValueType,
} from "../../core/index.ts";
import type { TfjsDevice } from "./device.ts";
import { kernels, supports } from "./kernels/index.ts";
import type { Kernel, NodeContext, StaticType } from "./kernels/kernel.ts";
import { memoryType, upload } from "./memory.ts";

/** One node, ready to run. */
export interface Step {
  readonly kernel: Kernel;
  readonly context: NodeContext;
  /** Values that nobody reads after this node. */
  readonly lastUses: readonly ValueName[];
}

/** A graph for one batch size: kernels in order, and its constants on the device. */
export class Plan {
  readonly graph: Graph;
  readonly steps: readonly Step[];
  #constants = new Map<ValueName, TfTensor>();

  /**
   * @throws BACKEND_OPERATOR_MISSING naming every operator that can be neither run nor lowered, or every value of a type that has no kernels
   */
  constructor(graph: Graph, { batch, device }: { readonly batch: number; readonly device: TfjsDevice }) {
    const bound = bindBatch(graph, batch, { supports });
    const faults = Object.entries(bound.values).flatMap(([name, type]) => typeFault(name, type));
    const contexts = bound.nodes.map((node) => nodeContext(bound, { node, device }));
    if (faults.length > 0) refuse(graph, faults, typeHint);
    const last = lastUses(bound);
    this.graph = bound;
    this.steps = contexts.map((context, i) => ({ kernel: kernelOf(graph, context.node), context, lastUses: last[i] ?? [] }));
  }

  /** A constant's device memory. Most constants are shapes and axes, which only the host reads, so they are copied when first asked for. */
  constant(name: ValueName): TfTensor | undefined {
    const value = this.graph.constants[name];
    if (value === undefined) return undefined;
    const known = this.#constants.get(name) ?? upload(`constant "${name}"`, value);
    this.#constants.set(name, known);
    return known;
  }

  dispose(): void {
    dispose([...this.#constants.values()]);
    this.#constants.clear();
  }
}

function kernelOf(graph: Graph, node: Node): Kernel {
  return kernels[node.operator] ?? refuse(graph, [`${node.name} (${node.operator})`]);
}

const typeHint =
  '; it computes float32, int32, int64, uint8 and bool: cast to one of them (in training: precision "float32"), or use another backend';

/** Faults that a message lists; a graph in mixed precision has hundreds. */
const maxListed = 8;

function refuse(graph: Graph, faults: readonly string[], hint = ""): never {
  const more = faults.length > maxListed ? ` and ${faults.length - maxListed} more` : "";
  const list = faults.slice(0, maxListed).join("; ");
  throw new EspalierError("BACKEND_OPERATOR_MISSING", `TensorFlow.js cannot run graph "${graph.name}": it has no kernel for ${list}${more}${hint}`, {
    faults,
  });
}

function typeFault(name: ValueName, type: ValueType): string[] {
  return memoryType(type.dtype) === undefined ? [`"${name}" of ${type.dtype}`] : [];
}

function nodeContext(graph: Graph, { node, device }: { node: Node; device: TfjsDevice }): NodeContext {
  const operator = findOperator(node.operator);
  if (operator === undefined) refuse(graph, [`${node.name} (${node.operator})`]);
  const inputTypes = node.inputs.map((name) => (name === "" ? undefined : staticType(graph, name)));
  const outputTypes = node.outputs.map((name) => staticType(graph, name));
  const missing = (what: string): never => {
    throw new EspalierError("GRAPH_INVALID", `${node.name} (${node.operator}) has no ${what}`, { node: node.name });
  };
  return {
    node,
    device,
    attributes: readAttributes(operator, node.name, node.attributes),
    inputTypes,
    outputTypes,
    inputType: (index) => inputTypes[index] ?? missing(`input ${index}`),
    outputType: outputTypes[0] ?? missing("output"),
    constant: (index): Tensor | undefined => graph.constants[node.inputs[index] ?? ""],
  };
}

function staticType(graph: Graph, name: ValueName): StaticType {
  const type = graph.values[name];
  if (type === undefined) throw new EspalierError("GRAPH_INVALID", `graph "${graph.name}" has no value "${name}"`, { value: name });
  return { dtype: type.dtype, shape: type.shape.map((size) => (size === "batch" ? unbound(graph, name) : size)) };
}

function unbound(graph: Graph, name: ValueName): never {
  throw new EspalierError("INTERNAL", `value "${name}" of graph "${graph.name}" still has a symbolic size after its batch was bound`, {
    value: name,
  });
}

/** For each node the computed values that it is the last to read; what a run returns or keeps is read by nobody last. */
function lastUses(graph: Graph): readonly (readonly ValueName[])[] {
  const kept = new Set([...Object.values(graph.outputs), ...Object.values(graph.updates)]);
  const computed = new Set(graph.nodes.flatMap((node) => node.outputs));
  const seen = new Set<ValueName>();
  const reversed = graph.nodes.toReversed().map((node) => {
    const names = [...new Set([...node.inputs, ...node.outputs])].filter((name) => computed.has(name) && !kept.has(name) && !seen.has(name));
    for (const name of names) seen.add(name);
    return names;
  });
  return reversed.toReversed();
}
