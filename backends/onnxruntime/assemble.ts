import {
  dtypeCodes,
  EspalierError,
  findOperator,
  onnxAttributes,
  opsets,
  readAttributes,
  type Graph,
  type Node,
  type OnnxModel,
  type OnnxNode,
  type OnnxValue,
  type Operator,
  type Tensors,
  type ValueName,
  type ValueType,
} from "../../core/index.ts";
import { joinedProducts, type JoinedProduct } from "./joined-products.ts";
import { OwnNodes, type OwnCalls } from "./own-nodes.ts";
import { findProducts, type FoundProduct } from "./products.ts";
import type { KernelCall } from "./kernels/compile.ts";
import { planKernel, type KernelPlan, type KernelType } from "./kernels/index.ts";
import type { Fused } from "./fusions/fusion.ts";
import { findFusions, fusionContext } from "./fusions/index.ts";
import { findLowering } from "./lowering/index.ts";
import type { LoweringContext, Operand } from "./lowering/lowering.ts";
import { int, OnnxEmitter } from "./onnx-emitter.ts";
import { substituteType } from "./kernel-gaps.ts";

/** A model and where its outputs are. */
export interface Assembled extends OwnCalls {
  readonly model: OnnxModel;
  /** The ONNX name of every value. */
  readonly names: ReadonlyMap<ValueName, string>;
}

/** What a graph is assembled with. */
export interface AssembleOptions {
  /** State values that are written into the model; the others become its inputs. */
  readonly initializers: Tensors;
  /** Whether nodes may be computed by kernels of our own. */
  readonly kernels: boolean;
  /** Whether products may be machine code. */
  readonly products: boolean;
  /** Whether the graph updates its state. */
  readonly isTraining: boolean;
}

/**
 * Writes a graph as an ONNX model for ONNX Runtime: standard operators as they are, the rest by this backend's lowerings.
 *
 * @param graph without updates; symbolic dimensions only when it needs no lowering
 * @param wanted values that the model returns, each the output of a node
 */
export function assemble(graph: Graph, wanted: readonly ValueName[], options: AssembleOptions): Assembled {
  const { initializers, kernels, isTraining } = options;
  const emit = new OnnxEmitter();
  const own = new OwnNodes(emit);
  const names = new Map<ValueName, string>();
  const nameOf = (value: ValueName): string => (value === "" ? "" : (names.get(value) ?? value));
  const hasProducts = options.products && isTraining;
  const context = fusionContext(graph);
  const fused = kernels ? callFusions(graph, findFusions(context, { products: hasProducts })) : new Map<Node, FoundKernel>();
  const coded = hasProducts ? findProducts(context, fused) : new Map<Node, FoundProduct>();
  const joined = joinedProducts(graph);
  const constants = { ...graph.constants, ...initializers };
  for (const node of graph.nodes) {
    emit.enter(node.name);
    const [product, sum] = [coded.get(node), joined.get(node)];
    if (product !== undefined) {
      names.set(product.output, own.product(product, product.inputs.map(nameOf)));
      continue;
    }
    if (sum !== undefined) {
      names.set(node.outputs[0] ?? "", emitProduct(sum, emit, nameOf));
      continue;
    }
    const ours = kernels ? (fused.get(node) ?? callKernel(graph, node, constants)) : undefined;
    if (ours !== undefined) {
      const outputs = own.kernel(ours.call, ours.inputs.map(nameOf));
      ours.outputs.forEach((output, i) => names.set(output, outputs[i] ?? output));
      continue;
    }
    const outputs = emitNode(graph, node, {
      emit,
      nameOf,
      isTraining,
      ...(kernels && { kernel: (call, values) => own.kernel(call, values) }),
      ...(hasProducts && { product: (call, values) => own.product(call, values) }),
    });
    node.outputs.forEach((output, i) => names.set(output, outputs[i] ?? output));
  }
  const { nodes, ...calls } = own.numbered(withoutDead(emit.nodes, wanted.map(nameOf)));
  const used = new Set(nodes.flatMap((node) => node.inputs));
  const written = Object.fromEntries(Object.entries(constants).filter(([name]) => used.has(name)));
  const inputs = [...graph.inputs, ...graph.state].filter((value) => used.has(value.name) && initializers[value.name] === undefined);
  const model: OnnxModel = {
    name: graph.name,
    producer: "espalier",
    irVersion: 10,
    opsets: Object.fromEntries([...emit.domains].map((domain) => [domain, opsets[domain] ?? 1])),
    inputs: inputs.map((input): OnnxValue => ({ name: input.name, dtype: input.dtype, shape: input.shape })),
    outputs: wanted.map((value): OnnxValue => ({ name: nameOf(value), ...typeOf(graph, value) })),
    initializers: { ...written, ...Object.fromEntries(Object.entries(emit.initializers).filter(([name]) => used.has(name))) },
    nodes,
    metadata: {},
  };
  return { model, names, ...calls };
}

function emitProduct({ left, right, length, rows, columns }: JoinedProduct, emit: OnnxEmitter, nameOf: (value: ValueName) => string): string {
  const a = emit.emit("Reshape", [nameOf(left), emit.ints([length, rows])]);
  const b = emit.emit("Reshape", [nameOf(right), emit.ints([length, columns])]);
  return emit.emit("Gemm", [a, b], { transA: int(1) });
}

/** The nodes that the wanted values need: ONNX Runtime computes all that it is given. */
function withoutDead(nodes: readonly OnnxNode[], wanted: readonly string[]): readonly OnnxNode[] {
  const needed = new Set(wanted);
  const kept = nodes.toReversed().filter((node) => {
    const isNeeded = node.outputs.some((output) => needed.has(output));
    if (isNeeded) for (const input of node.inputs) needed.add(input);
    return isNeeded;
  });
  return kept.toReversed();
}

/** What a kernel computes in the graph. */
interface FoundKernel {
  readonly call: KernelCall;
  readonly inputs: readonly ValueName[];
  readonly outputs: readonly ValueName[];
}

/** Those whose shapes and types their kernels take. */
function callFusions(graph: Graph, fusions: ReadonlyMap<Node, Fused>): ReadonlyMap<Node, FoundKernel> {
  return new Map(
    [...fusions].flatMap(([node, fused]) => {
      const found = callFused(graph, fused);
      return found === undefined ? [] : [[node, found] as const];
    }),
  );
}

function callFused(graph: Graph, fused: Fused): FoundKernel | undefined {
  const [inputs, outputs] = [fused.inputs, fused.outputs].map((values) => values.flatMap((value) => staticType(typeOf(graph, value)) ?? []));
  if (inputs?.length !== fused.inputs.length || outputs?.length !== fused.outputs.length) return undefined;
  const plan = fused.plan({ inputs, outputs });
  return plan && { call: callOf(plan, inputs, outputs), inputs: fused.inputs, outputs: fused.outputs };
}

function callKernel(graph: Graph, node: Node, constants: Tensors): FoundKernel | undefined {
  const operator = findOperator(node.operator);
  const types = [...node.inputs, ...node.outputs].map((value) => (value === "" ? undefined : staticType(typeOf(graph, value))));
  const inputs = types.slice(0, node.inputs.length);
  const outputs = types.slice(node.inputs.length).flatMap((type) => type ?? []);
  if (operator === undefined || outputs.length < node.outputs.length || inputs.some((type, i) => type === undefined && node.inputs[i] !== "")) {
    return undefined;
  }
  const fixed = node.inputs.map((input) => constants[input] !== undefined);
  const plan = planKernel(node.operator, { attributes: readAttributes(operator, node.name, node.attributes), inputs, outputs, fixed });
  const given = node.inputs.filter((input) => input !== "");
  return plan && { call: callOf(plan, inputs, outputs), inputs: given, outputs: node.outputs };
}

function callOf(plan: KernelPlan, inputs: readonly (KernelType | undefined)[], outputs: readonly KernelType[]): KernelCall {
  const bytes = [...inputs, ...outputs].reduce((sum, type) => sum + 4 * (type?.shape ?? [0]).reduce((a, b) => a * b, 1), 0);
  return { plan, outputs: outputs.map(({ shape }) => shape), bytes };
}

function staticType({ dtype, shape }: ValueType): KernelType | undefined {
  const sizes = shape.flatMap((size) => (size === "batch" ? [] : [size]));
  return sizes.length === shape.length ? { dtype, shape: sizes } : undefined;
}

/** What nodes are emitted with. */
interface EmitTools {
  readonly emit: OnnxEmitter;
  readonly nameOf: (value: ValueName) => string;
  readonly isTraining: boolean;
  readonly kernel?: NonNullable<LoweringContext["kernel"]>;
  readonly product?: NonNullable<LoweringContext["product"]>;
}

function emitNode(graph: Graph, node: Node, { emit, nameOf, isTraining, kernel, product }: EmitTools): readonly string[] {
  const operator = findOperator(node.operator);
  if (operator === undefined) throw new EspalierError("GRAPH_INVALID", `${node.name}: no operator "${node.operator}"`, { node: node.name });
  const lowering = findLowering(node);
  const standard = { operator, emit, nameOf };
  const isStatic = [...node.inputs, ...node.outputs].every((value) => value === "" || staticType(typeOf(graph, value)) !== undefined);
  if (lowering === undefined || (lowering.isOptional === true && (kernel === undefined || !isStatic))) return emitStandard(graph, node, standard);
  const operand = (value: ValueName): Operand => ({
    ...staticOperand(nameOf(value), typeOf(graph, value), node),
    isConstant: graph.constants[value] !== undefined,
  });
  const inputs = node.inputs.map((input) => (input === "" ? undefined : operand(input)));
  const context: LoweringContext = {
    emit,
    inputs,
    input: (index) => inputs[index] ?? missing(node, index),
    outputs: node.outputs.map(operand),
    attributes: readAttributes(operator, node.name, node.attributes),
    isTraining,
    ...(kernel && { kernel }),
    ...(product && { product }),
  };
  return lowering.lower(context) ?? emitStandard(graph, node, standard);
}

interface Standard {
  readonly operator: Operator;
  readonly emit: OnnxEmitter;
  readonly nameOf: (value: ValueName) => string;
}

/** A node as it is; where ONNX Runtime has no kernel for its element type, computed in a wider one. */
function emitStandard(graph: Graph, node: Node, { operator, emit, nameOf }: Standard): readonly string[] {
  const { domain } = operator;
  const attributes = onnxAttributes(operator, node.attributes);
  const substitute = substituteType(node.operator, typeOf(graph, node.outputs[0] ?? "").dtype);
  if (substitute === undefined) {
    emit.add({ name: node.name, operator: node.operator, domain, inputs: node.inputs.map(nameOf), outputs: node.outputs, attributes });
    return node.outputs;
  }
  const { dtype } = typeOf(graph, node.outputs[0] ?? "");
  const inputs = node.inputs.map((input, i) => {
    const isCondition = node.operator === "Where" && i === 0; // a bool whatever it chooses between
    const isNarrow = input !== "" && !isCondition && typeOf(graph, input).dtype === dtype;
    return isNarrow ? emit.emit("Cast", [nameOf(input)], { to: int(dtypeCodes[substitute]) }) : nameOf(input);
  });
  return [emit.emit("Cast", [emit.emit(node.operator, inputs, attributes, { domain })], { to: int(dtypeCodes[dtype]) })];
}

function typeOf(graph: Graph, value: ValueName): ValueType {
  const type = graph.values[value];
  if (type === undefined) throw new EspalierError("GRAPH_INVALID", `graph "${graph.name}" has no value "${value}"`, { value });
  return { dtype: type.dtype, shape: type.shape };
}

function staticOperand(name: string, type: ValueType, node: Node): Operand {
  const shape = type.shape.map((size) => {
    if (size === "batch") throw new EspalierError("INTERNAL", `${node.name}: lowered before its batch size was known`, { node: node.name });
    return size;
  });
  return { name, dtype: type.dtype, shape };
}

function missing(node: Node, index: number): never {
  throw new EspalierError("GRAPH_INVALID", `${node.name} (${node.operator}): input ${index} is required`, { node: node.name });
}
