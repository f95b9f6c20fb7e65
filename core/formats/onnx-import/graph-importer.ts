import { EspalierError } from "../../errors.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { constantOf } from "../../graph/constant-of.ts";
import type { Attribute, Graph, Node } from "../../graph/graph.ts";
import { findOperator } from "../../operators/index.ts";
import type { Emitter, Value } from "../../operators/operator.ts";
import { scalar, tensor, type Tensor, type Tensors } from "../../tensor.ts";
import type { OnnxGraph, OnnxModel, OnnxNode } from "../onnx-model.ts";
import { malformed } from "../protobuf-fields.ts";
import { adapt, isReadable } from "./adapt.ts";
import type { AdaptationContext } from "./adaptation.ts";
import type { Dimensions } from "./dimensions.ts";
import { resolveInputs } from "./inputs.ts";
import { allNodes, branchesOf, namesGiven, namesRead, neededNodes } from "./names.ts";
import { checkSize, constantTensor, plainAttributes, refuseNode } from "./node-parts.ts";
import { Scope, type Meaning, type StoredTensor } from "./scope.ts";
import { isStatistic, WeightRoles } from "./weight-roles.ts";

/** What `GraphImporter` takes besides the model. */
export interface GraphImporterOptions {
  readonly opset: number;
  readonly dimensions: Dimensions;
  readonly constants: Tensors;
}

/** A node to write, its inputs resolved. */
interface Written {
  readonly operator: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: number;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A shape rule may quote the file, and a file may hold anything. */
const maxMessage = 600;

/** Writes one ONNX model's graph into a builder, node by node, folding what follows from constants and sizes. */
export class GraphImporter {
  readonly #model: OnnxModel;
  readonly #options: GraphImporterOptions;
  readonly #builder: GraphBuilder;
  readonly #roles: WeightRoles;
  readonly #weights = new Map<string, Tensor>();
  readonly #nodeNames = new Set<string>();
  /** Names that something reads: outputs that nobody does are left out. */
  readonly #read: ReadonlySet<string>;
  /** Operators that are not there, with the first node that wants each. */
  readonly #missing = new Map<string, string>();
  readonly #emit: Emitter = {
    op: (operator, inputs, attributes = {}) => this.#write({ operator, inputs, outputs: 1, attributes })[0] as Value, // one was asked for
    ops: (operator, inputs, outputs, attributes = {}) => this.#write({ operator, inputs, outputs, attributes }),
    constant: (value) => this.#builder.constant(value),
    scalar: (value, dtype) => this.#builder.constant(scalar(value, dtype)),
    ints: (values) => this.#builder.constant(tensor("int64", [values.length], values)),
  };

  constructor(model: OnnxModel, options: GraphImporterOptions) {
    this.#model = model;
    this.#options = options;
    this.#builder = new GraphBuilder(model.name === "" ? "onnx" : model.name);
    this.#builder.reserve(namesGiven(model));
    this.#roles = new WeightRoles(model);
    this.#read = new Set(namesRead(model));
  }

  /** @throws as `importOnnx` does */
  run(): Graph {
    const scope = new Scope(this.#model);
    for (const input of resolveInputs(this.#model, this.#options)) {
      scope.define(
        input.name,
        "value" in input ? this.#builder.constant(input.value, input.name) : this.#builder.input(input.name, input.dtype, input.shape),
      );
    }
    try {
      this.#writeGraph(this.#model, scope);
      if (this.#missing.size === 0) this.#defineOutputs(scope);
    } catch (error) {
      // What is missing is the better answer: the shapes after it are unknown.
      if (this.#missing.size === 0) throw this.#inContext(error);
    }
    if (this.#missing.size > 0) this.#refuseMissing();
    return this.#builder.build();
  }

  /** The first content of a state value. */
  weights(name: string): Tensor {
    return this.#weights.get(name) ?? malformed(`it has no weights "${name}"`);
  }

  #defineOutputs(scope: Scope): void {
    const computed = new Set(this.#builder.nodes.flatMap((node) => node.outputs));
    for (const { name } of this.#model.outputs) {
      const value = this.#valueOf(scope, name) ?? malformed(`output "${name}" is missing`);
      this.#builder.output(name, computed.has(value.name) ? value : this.#builder.op("Identity", [value]));
    }
  }

  #writeGraph(graph: OnnxGraph, scope: Scope): void {
    for (const node of neededNodes(graph)) {
      const meanings = this.#meaningsOf(node, scope);
      node.outputs.forEach((name, i) => {
        const meaning = meanings[i];
        if (name !== "" && meaning !== undefined) scope.compute(name, meaning);
      });
    }
  }

  /** What a node's outputs stand for. */
  #meaningsOf(node: OnnxNode, scope: Scope): readonly Meaning[] {
    const unknown = (): readonly Meaning[] => node.outputs.map(() => "missing");
    const isStandard = node.domain === "";
    if (isStandard && node.operator === "If") return this.#branchOf(node, scope) ?? unknown();
    if (isStandard && node.operator === "Constant") return [{ tensor: constantTensor(node), from: "node" }];
    if (isStandard && node.operator === "Identity") return [this.#sameAs(node.inputs[0] ?? "", scope)];
    if (!isReadable(node)) this.#miss(node);
    const inputs = node.inputs.map((name, i) => this.#ownStatistic(node, i, scope) ?? this.#valueOf(scope, name));
    if (!isReadable(node) || node.inputs.some((name, i) => name !== "" && inputs[i] === undefined)) return unknown();
    const context: AdaptationContext = {
      emit: this.#emit,
      opset: this.#options.opset,
      constant: (value) => value && this.#builder.constantOf(value.name),
      dimensions: (value) => value && this.#builder.dimensionsOf(value.name),
      refuse: (message) => refuseNode(node, message),
    };
    const adapted = adapt({ ...node, inputs, outputs: this.#wantedOutputs(node) }, context);
    if (!("operator" in adapted)) return adapted;
    if (findOperator(adapted.operator)?.domain === adapted.domain) {
      return this.#write({ ...adapted, attributes: plainAttributes(node, adapted.attributes) }, node);
    }
    this.#miss({ ...node, operator: adapted.operator });
    return unknown();
  }

  /** The number of outputs to write: those at the end that nobody reads are left out where the operator allows it. */
  #wantedOutputs({ operator, outputs }: OnnxNode): number {
    if (operator === "Split") return outputs.length; // their number says how many parts there are
    const last = outputs.findLastIndex((name) => name !== "" && this.#read.has(name));
    return Math.max(last + 1, findOperator(operator)?.outputs[0] ?? 1);
  }

  /** The outputs of the branch that a constant condition chooses; undefined when it cannot be chosen. */
  #branchOf(node: OnnxNode, scope: Scope): readonly Meaning[] | undefined {
    const condition = this.#valueOf(scope, node.inputs[0] ?? "");
    const constant = condition && this.#builder.constantOf(condition.name);
    if (constant === undefined) {
      if (condition !== undefined) this.#miss({ ...node, operator: "If whose condition is computed from the inputs" });
      for (const branch of branchesOf(node)) for (const inner of allNodes(branch)) if (!isReadable(inner)) this.#miss(inner);
      return undefined;
    }
    const name = Number(constant.data[0]) === 0 ? "else_branch" : "then_branch";
    const branch = node.attributes[name];
    if (branch?.kind !== "graph") return malformed(`node "${node.name}" (If) has no ${name}`);
    const inner = new Scope(branch.value, scope);
    this.#writeGraph(branch.value, inner);
    // Tensors are defined here: their names mean nothing outside the branch.
    return branch.value.outputs.map((output) => this.#valueOf(inner, output.name) ?? "missing");
  }

  #write({ operator, inputs, outputs, attributes }: Written, from?: OnnxNode): readonly Value[] {
    const names = Array.from({ length: outputs }, (_, i) => this.#nameFor(from?.outputs[i] ?? "", operator));
    const wanted = from === undefined || from.name === "" ? (names[0] ?? operator) : from.name;
    const name = this.#nodeNames.has(wanted) ? this.#builder.freshName(operator) : wanted;
    const end = inputs.findLastIndex((input) => input !== undefined);
    const node: Node = { name, operator, inputs: inputs.slice(0, end + 1).map((input) => input?.name ?? ""), outputs: names, attributes };
    const types = this.#builder.typesOf(node);
    for (const type of types) checkSize(node, type);
    const [type] = types;
    const folded = types.length === 1 && type !== undefined ? constantOf(this.#builder, node, type) : undefined;
    if (folded !== undefined) return [this.#builder.constant(folded, names[0])];
    this.#nodeNames.add(name);
    return this.#builder.addNode(node);
  }

  /** The file's own name, or one like it where a branch's name is taken. */
  #nameFor(name: string, operator: string): string {
    return name !== "" && !this.#builder.has(name) ? name : this.#builder.freshName(name === "" ? operator : name);
  }

  /** The value of a name; undefined for no name and where an operator is missing. */
  #valueOf(scope: Scope, name: string): Value | undefined {
    const meaning = name === "" ? "missing" : scope.get(name);
    if (meaning === "missing") return undefined;
    if ("name" in meaning) return meaning;
    const value = this.#defineTensor(name, meaning);
    scope.replace(name, value);
    return value;
  }

  /** What Identity gives. Exporters store equal tensors once, with an Identity for each other one: those are weights of their own. */
  #sameAs(name: string, scope: Scope): Meaning {
    return (this.#roles.areKnown ? undefined : scope.stored(name)) ?? scope.get(name);
  }

  /** Running statistics that a file stores together with weights of the same numbers become state of their own, which training moves. */
  #ownStatistic(node: OnnxNode, index: number, scope: Scope): Value | undefined {
    const name = node.inputs[index] ?? "";
    const stored = isStatistic(node.operator, index) && this.#roles.isShared(name) ? scope.stored(name) : undefined;
    if (stored === undefined) return undefined;
    const own = this.#builder.freshName(`${name}/statistic`);
    this.#weights.set(own, stored.tensor);
    return this.#builder.state(own, stored.tensor.dtype, stored.tensor.shape, { role: "statistic" });
  }

  #defineTensor(name: string, { tensor: value, from }: StoredTensor): Value {
    const role = this.#roles.of(name, value, from);
    const known = this.#nameFor(name, "constant");
    if (role === "constant") return this.#builder.constant(value, known);
    this.#weights.set(known, value);
    return this.#builder.state(known, value.dtype, value.shape, { role });
  }

  #miss({ domain, operator, name, outputs }: OnnxNode): void {
    const key = domain === "" ? operator : `${domain}.${operator}`;
    if (!this.#missing.has(key)) this.#missing.set(key, name === "" ? (outputs[0] ?? "") : name);
  }

  #refuseMissing(): never {
    const list = [...this.#missing].map(([operator, node]) => `${operator} (node "${node}")`).join(", ");
    throw new EspalierError("BACKEND_OPERATOR_MISSING", `importOnnx: the model needs operators that Espalier does not have: ${list}`, {
      operators: [...this.#missing.keys()],
    });
  }

  /** What went wrong with a shape, and that a fixed batch size may mend it. */
  #inContext(error: unknown): unknown {
    if (!(error instanceof EspalierError) || error.message.startsWith("importOnnx") || error.code === "DATA_MALFORMED") return error;
    const isOpen = this.#builder.build().inputs.some(({ shape }) => shape.includes("batch"));
    const symbol = this.#model.inputs.flatMap(({ name, shape = [] }) =>
      shape.flatMap((size, axis) => (typeof size === "string" ? [size || `${name}.${axis}`] : [])),
    )[0];
    const hint = isOpen ? `; if the model was exported for one batch size, fix it: dimensions: { "${symbol}": 1 }` : "";
    const message = error.message.length > maxMessage ? `${error.message.slice(0, maxMessage)}...` : error.message;
    return new EspalierError(error.code, `importOnnx: ${message}${hint}`, error.details, { cause: error });
  }
}
