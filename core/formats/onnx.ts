import { EspalierError } from "../errors.ts";
import type { Attribute, Graph, ValueName, ValueType } from "../graph/graph.ts";
import { lower } from "../graph/lower.ts";
import { findOperator } from "../operators/index.ts";
import type { Operator } from "../operators/operator.ts";
import type { Tensor, Tensors } from "../tensor.ts";
import { withStepsFirst } from "./recurrent-layout.ts";
import { isOnnxForm } from "./onnx-forms.ts";
import { encodeOnnx, type OnnxAttribute, type OnnxModel, type OnnxNode, type OnnxValue } from "./onnx-model.ts";

/** The opset of the graph's operators, by domain. */
export const opsets: Readonly<Record<string, number>> = { "": 21, "ai.onnx.ml": 5, "ai.onnx.preview.training": 1 };

/** Versions of ai.onnx that can be written, with the version of the file format that belongs to each. */
const irVersions: Readonly<Record<number, number>> = { 21: 10, 22: 10, 23: 11 };

/** The key of `metadata_props` under which a file says what its initializers are: state name to role, as JSON. Others are constants. */
export const stateMetadataKey = "espalier.state";

/** What `toOnnx` takes besides the graph. */
export interface ToOnnxOptions {
  /** The values of the graph's state, written as initializers. Left out: the state values are inputs of the model. */
  readonly state?: Tensors;
  /** Strings kept in the file, for readers of other systems: {"author": "..."}. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Prose about the model, for people. */
  readonly doc?: string;
  /** The version of the program that writes the file. */
  readonly producerVersion?: string;
  /**
   * The version of ai.onnx: 21 (default) to 23. Operators that came later (RMSNormalization, Attention) are written in simpler ones: more programs
   * read 21 than know them. 23 keeps them.
   */
  readonly opset?: number;
}

/**
 * A forward graph as a standard ONNX model, which ONNX Runtime, Netron and any other reader open.
 *
 * Names of inputs, outputs and state are kept; the symbolic dimension is `batch`. What only training knows (noise) is left away, inner values have
 * their types beside them, and `metadata_props` says which initializers are state, so that `importOnnx` gives the same model back.
 *
 * @returns the bytes of the `.onnx` file
 * @throws GRAPH_INVALID when the graph has updates, or when an output's name is that of another input or state value; BACKEND_OPERATOR_MISSING
 *   naming operators that the opset does not have and that are not written in others; ARGUMENT_INVALID for another opset; TENSOR_INVALID when `state` lacks a value or has another shape; ARGUMENT_INVALID when the model is over 2 GiB
 * @example await writeFile("model.onnx", toOnnx(model.graph, { state: model.state }));
 */
export function toOnnx(graph: Graph, options: ToOnnxOptions = {}): Uint8Array<ArrayBuffer> {
  return encodeOnnx(toOnnxModel(graph, options));
}

/** The same model before it becomes bytes. */
export function toOnnxModel(given: Graph, { state, metadata = {}, doc, producerVersion, opset = 21 }: ToOnnxOptions = {}): OnnxModel {
  if (Object.keys(given.updates).length > 0) {
    refuse(`"${given.name}" is a training graph: it writes ${Object.keys(given.updates).length} state values back; export the model's forward graph`);
  }
  const irVersion = irVersions[opset] ?? refuseOpset(opset);
  const graph = lower(withStepsFirst(given), (name, use) => isOnnxForm(name, use, opset));
  const names = nameOutputs(graph);
  const domains = new Set([""]);
  const nodes: OnnxNode[] = graph.nodes.map((node) => {
    const operator = findOperator(node.operator) ?? refuse(`${node.name}: no operator "${node.operator}"`);
    domains.add(operator.domain);
    return {
      name: node.name,
      operator: node.operator,
      domain: operator.domain,
      inputs: node.inputs.map(names.of),
      outputs: node.outputs.map(names.of),
      attributes: onnxAttributes(operator, { ...listDefaults(operator), ...node.attributes }),
    };
  });
  return {
    name: graph.name,
    producer: "espalier",
    ...(producerVersion !== undefined && { producerVersion }),
    ...(doc !== undefined && { doc }),
    irVersion,
    opsets: Object.fromEntries([...domains].map((domain) => [domain, domain === "" ? opset : (opsets[domain] ?? 1)])),
    inputs: [...graph.inputs, ...(state === undefined ? graph.state : [])].map((input) => onnxValue(input.name, input)),
    outputs: Object.entries(graph.outputs).map(([name, value]) => onnxValue(name, graph.values[value] as ValueType)), // every value has a type
    initializers: { ...(state === undefined ? {} : stateInitializers(graph, state)), ...renamed(graph.constants, names.of) },
    nodes: [...nodes, ...names.copies],
    values: innerValues(graph, names.of),
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

/** Lists that nodes may leave out are written: the onnx package cannot infer shapes of operators that it defines by others without them. */
function listDefaults(operator: Operator): Readonly<Record<string, Attribute>> {
  return Object.fromEntries(
    Object.entries(operator.attributes).flatMap(([name, spec]) => (spec.kind === "ints" && spec.default !== undefined ? [[name, spec.default]] : [])),
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

/** The types of what nodes compute and the model does not return. */
function innerValues(graph: Graph, of: (value: ValueName) => string): readonly OnnxValue[] {
  const outputs = new Set(Object.keys(graph.outputs));
  const computed = graph.nodes.flatMap((node) => node.outputs).filter((name) => !outputs.has(of(name)));
  return computed.map((name) => onnxValue(of(name), graph.values[name] as ValueType)); // every value has a type
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

function refuseOpset(opset: number): never {
  throw new EspalierError("ARGUMENT_INVALID", `toOnnx: opset ${opset} is not written; use ${Object.keys(irVersions).join(", ")}`, { opset });
}

function refuse(message: string): never {
  throw new EspalierError("GRAPH_INVALID", message);
}

function refuseState(message: string): never {
  throw new EspalierError("TENSOR_INVALID", message);
}
