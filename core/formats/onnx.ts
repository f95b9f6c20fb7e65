import { EspalierError } from "../errors.ts";
import type { Attribute, Graph, Node, ValueName, ValueType } from "../graph/graph.ts";
import { findOperator } from "../operators/index.ts";
import type { Operator } from "../operators/operator.ts";
import type { Tensor, Tensors } from "../tensor.ts";
import { encodeOnnx, type OnnxAttribute, type OnnxModel, type OnnxNode, type OnnxValue } from "./onnx-model.ts";

/** The opset of the graph's operators, by domain. */
export const opsets: Readonly<Record<string, number>> = { "": 21, "ai.onnx.ml": 5, "ai.onnx.preview.training": 1 };

/** The version of the file format that belongs to opset 21. */
const irVersion = 10;

/** The key of `metadata_props` under which a file says what its initializers are: state name to role, as JSON. Others are constants. */
export const stateMetadataKey = "espalier.state";

/** What `toOnnx` takes besides the graph. */
export interface ToOnnxOptions {
  /** The values of the graph's state, written as initializers. Left out: the state values are inputs of the model. */
  readonly state?: Tensors;
  /** Strings kept in the file, for readers of other systems: {"author": "..."}. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A forward graph as a standard ONNX model, which ONNX Runtime, Netron and any other reader open.
 *
 * Names of inputs, outputs and state are kept; the symbolic dimension is `batch`.
 *
 * @returns the bytes of the `.onnx` file
 * @throws GRAPH_INVALID when the graph has updates or operators that are not ONNX's, or when an output's name is that of another input or
 *   state value; TENSOR_INVALID when `state` lacks a value or has another shape; ARGUMENT_INVALID when the model is over 2 GiB
 * @example await writeFile("model.onnx", toOnnx(model.graph, { state: model.state }));
 */
export function toOnnx(graph: Graph, { state, metadata = {} }: ToOnnxOptions = {}): Uint8Array<ArrayBuffer> {
  return encodeOnnx(toOnnxModel(graph, { metadata, ...(state === undefined ? {} : { state }) }));
}

/** The same model before it becomes bytes. */
export function toOnnxModel(graph: Graph, { state, metadata = {} }: ToOnnxOptions = {}): OnnxModel {
  if (Object.keys(graph.updates).length > 0) {
    refuse(`"${graph.name}" is a training graph: it writes ${Object.keys(graph.updates).length} state values back; export the model's forward graph`);
  }
  const names = nameOutputs(graph);
  const domains = new Set([""]);
  const nodes: OnnxNode[] = graph.nodes.map((node) => {
    const operator = standardOperator(node);
    domains.add(operator.domain);
    return {
      name: node.name,
      operator: node.operator,
      domain: operator.domain,
      inputs: node.inputs.map(names.of),
      outputs: node.outputs.map(names.of),
      attributes: onnxAttributes(operator, node.attributes),
    };
  });
  return {
    name: graph.name,
    producer: "espalier",
    irVersion,
    opsets: Object.fromEntries([...domains].map((domain) => [domain, opsets[domain] ?? 1])),
    inputs: [...graph.inputs, ...(state === undefined ? graph.state : [])].map((input) => onnxValue(input.name, input)),
    outputs: Object.entries(graph.outputs).map(([name, value]) => onnxValue(name, graph.values[value] as ValueType)), // every value has a type
    initializers: { ...(state === undefined ? {} : stateInitializers(graph, state)), ...renamed(graph.constants, names.of) },
    nodes: [...nodes, ...names.copies],
    metadata: state === undefined ? metadata : { ...metadata, [stateMetadataKey]: JSON.stringify(rolesOf(graph)) },
  };
}

/** The attributes of a node with the types that its operator's definition gives them. */
export function onnxAttributes(operator: Operator, attributes: Readonly<Record<string, Attribute>>): Readonly<Record<string, OnnxAttribute>> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => {
      const spec = operator.attributes[name] ?? refuse(`${operator.name} has no attribute "${name}"`);
      return [name, { kind: spec.kind, value } as OnnxAttribute]; // the builder checked the value against the kind
    }),
  );
}

interface OutputNames {
  readonly of: (value: ValueName) => string;
  /** Identity nodes for outputs that cannot take their value's place. */
  readonly copies: readonly OnnxNode[];
}

/**
 * ONNX knows an output by its value's name, so a value takes the name of the output that it is. A second name for the same value, or a
 * name for an input, state value or constant, is a copy of it.
 */
function nameOutputs(graph: Graph): OutputNames {
  const fixed = new Set([...graph.inputs, ...graph.state].map((value) => value.name));
  const computed = new Set(graph.nodes.flatMap((node) => node.outputs));
  const given = new Map<ValueName, string>();
  const copied: { readonly name: string; readonly value: ValueName }[] = [];
  for (const [name, value] of Object.entries(graph.outputs)) {
    if (name === value && fixed.has(name)) continue;
    if (fixed.has(name)) refuse(`output "${name}" of "${graph.name}" has the name of an input or state value but is another value; rename it`);
    if (computed.has(value) && !given.has(value)) given.set(value, name);
    else copied.push({ name, value });
  }
  const taken = new Set([...Object.keys(graph.outputs), ...fixed, ...computed, ...Object.keys(graph.constants)]);
  const publicNames = new Set(Object.keys(graph.outputs));
  const of = (value: ValueName): string => {
    const known = given.get(value);
    if (known !== undefined) return known;
    if (!publicNames.has(value) || fixed.has(value)) return value;
    let fresh = `${value}_inner`; // a public name belongs to another value
    while (taken.has(fresh)) fresh += "_";
    taken.add(fresh);
    given.set(value, fresh);
    return fresh;
  };
  const copies = copied.map(({ name, value }): OnnxNode => ({
    name,
    operator: "Identity",
    domain: "",
    inputs: [of(value)],
    outputs: [name],
    attributes: {},
  }));
  return { of, copies };
}

function standardOperator(node: Node): Operator {
  const operator = findOperator(node.operator) ?? refuse(`${node.name}: no operator "${node.operator}"`);
  if (operator.domain === "espalier") {
    refuse(
      `${node.name} (${node.operator}) is an operator of training graphs that ONNX does not have; export the model's forward graph, or lower it`,
    );
  }
  return operator;
}

function stateInitializers(graph: Graph, state: Tensors): Tensors {
  return Object.fromEntries(
    graph.state.map((type) => {
      const value = state[type.name] ?? refuseState(`toOnnx: state "${type.name}" has no value; give all ${graph.state.length} state values`);
      if (value.dtype !== type.dtype || value.shape.join() !== type.shape.join()) {
        refuseState(
          `toOnnx: state "${type.name}" is ${value.dtype} [${value.shape.join(", ")}], but the graph has ${type.dtype} [${type.shape.join(", ")}]`,
        );
      }
      return [type.name, value];
    }),
  );
}

function renamed(constants: Readonly<Record<ValueName, Tensor>>, of: (value: ValueName) => string): Tensors {
  return Object.fromEntries(Object.entries(constants).map(([name, value]) => [of(name), value]));
}

function rolesOf(graph: Graph): Readonly<Record<ValueName, string>> {
  return Object.fromEntries(graph.state.map(({ name, role }) => [name, role]));
}

function onnxValue(name: string, type: ValueType): OnnxValue {
  return { name, dtype: type.dtype, shape: type.shape };
}

function refuse(message: string): never {
  throw new EspalierError("GRAPH_INVALID", message);
}

function refuseState(message: string): never {
  throw new EspalierError("TENSOR_INVALID", message);
}
