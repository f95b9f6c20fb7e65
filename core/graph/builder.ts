import { EspalierError } from "../errors.ts";
import { readAttributes } from "../operators/attributes.ts";
import { findOperator } from "../operators/index.ts";
import type { Emitter, InferContext, Operator, Value } from "../operators/operator.ts";
import { symbolicCount } from "../operators/shapes.ts";
import { scalar, tensor, toNumbers, type DType, type Tensor } from "../tensor.ts";
import {
  formatShape,
  type Attribute,
  type Dimension,
  type Graph,
  type GraphInput,
  type Node,
  type RandomFeed,
  type StateValue,
  type ValueName,
  type ValueType,
} from "./graph.ts";

/**
 * Writes a graph node by node, with every shape inferred and checked at the moment a node is added.
 *
 * @example
 * const b = new GraphBuilder("affine");
 * const x = b.input("x", "float32", ["batch", 3]);
 * const w = b.state("w", "float32", [3, 2]);
 * b.output("y", b.op("MatMul", [x, w])); // [batch, 2]
 * const graph = b.build();
 */
export class GraphBuilder implements Emitter {
  readonly name: string;
  #inputs: GraphInput[] = [];
  #state: StateValue[] = [];
  #constants = record<Tensor>();
  #nodes: Node[] = [];
  #outputs = record<ValueName>();
  #updates = record<ValueName>();
  #values = record<ValueType>();
  #contents = new Map<ValueName, readonly Dimension[]>();
  #names = new Set<string>();
  #nodeNames = new Set<string>();
  #counters = new Map<string, number>();
  #scope = "";
  /** What was inferred last: a pass that rewrites a graph asks for a node's types, for its contents, and adds it. */
  #inferred: { readonly node: Node; readonly result: Inferred } | undefined;

  constructor(name: string) {
    this.name = name;
  }

  input(name: ValueName, dtype: DType, shape: readonly Dimension[], { random }: { readonly random?: RandomFeed | undefined } = {}): Value {
    const value = this.#define(name, { dtype, shape });
    this.#inputs.push({ name, dtype, shape, ...(random && { random }) });
    return value;
  }

  state(name: ValueName, dtype: DType, shape: readonly number[], { role = "parameter" }: { role?: StateValue["role"] } = {}): Value {
    const value = this.#define(name, { dtype, shape });
    this.#state.push({ name, dtype, shape, role });
    return value;
  }

  constant(value: Tensor, name: ValueName = this.#fresh("constant")): Value {
    const defined = this.#define(name, { dtype: value.dtype, shape: value.shape });
    this.#constants[name] = value;
    return defined;
  }

  scalar(value: number, dtype: DType): Value {
    return this.constant(scalar(value, dtype));
  }

  ints(values: readonly number[]): Value {
    return this.constant(tensor("int64", [values.length], values));
  }

  op(
    operator: string,
    inputs: readonly (Value | undefined)[],
    attributes: Readonly<Record<string, Attribute>> = {},
    { name }: { name?: string } = {},
  ): Value {
    return this.ops(operator, inputs, 1, attributes, name === undefined ? {} : { name })[0] as Value; // one output was asked for
  }

  ops(
    operator: string,
    inputs: readonly (Value | undefined)[],
    count: number,
    attributes: Readonly<Record<string, Attribute>> = {},
    { name = this.#fresh(operator) }: { name?: string } = {},
  ): readonly Value[] {
    return this.addNode({
      name,
      operator,
      inputs: trimAbsent(inputs).map((input) => input?.name ?? ""),
      outputs: Array.from({ length: count }, (_, i) => (i === 0 ? name : `${name}:${i}`)),
      attributes,
    });
  }

  /** Adds a node whose names are already chosen: how a graph is copied, rewritten or read from a file. */
  addNode(node: Node): readonly Value[] {
    if (this.#nodeNames.has(node.name)) refuse(`node "${node.name}" is there twice in graph "${this.name}"`, { node: node.name });
    const { operator, context, types } = this.#inferNode(node);
    const values = node.outputs.map((output, i) => this.#define(output, types[i] as ValueType)); // the counts were compared
    const contents = contentsOf(operator, context, types);
    if (contents !== undefined && values[0] !== undefined) this.#contents.set(values[0].name, contents);
    this.#names.add(node.name);
    this.#nodeNames.add(node.name);
    this.#nodes.push(node);
    return values;
  }

  /** What a node's outputs would be, without adding it. */
  typesOf(node: Node): readonly ValueType[] {
    return this.#inferNode(node).types;
  }

  /** A node's contents where they follow from constants and shapes, without adding it. */
  contentsOf(node: Node): readonly Dimension[] | undefined {
    const { operator, context, types } = this.#inferNode(node);
    return contentsOf(operator, context, types);
  }

  /** A name that no value or node has yet, in the current scope. */
  freshName(base: string): string {
    return this.#fresh(base);
  }

  /** Whether neither a value nor a node has this name, and none has reserved it. */
  isFree(name: string): boolean {
    return !this.#names.has(name);
  }

  /** Keeps names from being made up here, for the values of another graph that will come with theirs. */
  reserve(names: Iterable<string>): void {
    for (const name of names) this.#names.add(name);
  }

  /** The nodes so far, in topological order. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** The names of the state values so far. */
  get stateNames(): readonly ValueName[] {
    return this.#state.map(({ name }) => name);
  }

  /** What names made now start with: empty, or the open scopes, each with a slash. */
  get prefix(): string {
    return this.#scope;
  }

  /** Names made inside `build` start with `name/`. Scopes nest. */
  scope<T>(name: string, build: () => T): T {
    const outer = this.#scope;
    this.#scope = `${outer}${name}/`;
    try {
      return build();
    } finally {
      this.#scope = outer;
    }
  }

  /** The value of a name defined so far, from this builder. */
  value(name: ValueName): Value {
    const type = this.#values[name] ?? refuse(`no value "${name}" in graph "${this.name}"`, { value: name });
    return { name, ...type };
  }

  has(name: ValueName): boolean {
    return this.#values[name] !== undefined;
  }

  /** The state value of a name. */
  stateOf(name: ValueName): StateValue | undefined {
    return this.#state.find((state) => state.name === name);
  }

  /** The contents of a small value where they follow from constants and shapes; "batch" stands for itself. */
  dimensionsOf(name: ValueName): readonly Dimension[] | undefined {
    const constant = this.#constants[name];
    if (constant === undefined) return this.#contents.get(name);
    return constant.dtype === "string" || constant.data.length > maxContents ? undefined : toNumbers(constant);
  }

  /** The contents of a constant. */
  constantOf(name: ValueName): Tensor | undefined {
    return this.#constants[name];
  }

  output(name: string, value: Value): void {
    if (this.#outputs[name] !== undefined) refuse(`output "${name}" is named twice`, { output: name });
    this.#outputs[name] = this.value(value.name).name;
  }

  /** At the end of a run, `value` becomes the state's new content. */
  update(state: ValueName, value: Value): void {
    const target = this.#state.find((item) => item.name === state) ?? refuse(`update: no state "${state}"`, { state });
    if (target.dtype !== value.dtype || formatShape(target.shape) !== formatShape(value.shape)) {
      refuse(
        `update: state "${state}" is ${target.dtype} ${formatShape(target.shape)}, but its new value is ${value.dtype} ${formatShape(value.shape)}`,
        { state },
      );
    }
    if (this.#updates[state] !== undefined) refuse(`update: state "${state}" is written twice`, { state });
    this.#updates[state] = value.name;
  }

  /** Whether a run writes the state back. */
  isUpdated(state: ValueName): boolean {
    return this.#updates[state] !== undefined;
  }

  /** Writes something else back than what `update` was told: made of it. */
  changeUpdate(state: ValueName, change: (value: Value) => Value): void {
    const value = this.#updates[state] ?? refuse(`update: state "${state}" has none to change`, { state });
    const changed = change(this.value(value));
    delete this.#updates[state];
    this.update(state, changed);
  }

  build(): Graph {
    return {
      name: this.name,
      inputs: this.#inputs,
      outputs: this.#outputs,
      state: this.#state,
      constants: this.#constants,
      nodes: this.#nodes,
      updates: this.#updates,
      values: this.#values,
    };
  }

  #define(name: ValueName, type: ValueType): Value {
    if (name === "") refuse("a value needs a name", {});
    if (this.#values[name] !== undefined) refuse(`value "${name}" is defined twice in graph "${this.name}"`, { value: name });
    const known = { dtype: type.dtype, shape: type.shape };
    this.#values[name] = known;
    this.#names.add(name);
    return { name, ...known };
  }

  #fresh(base: string): string {
    for (;;) {
      const count = this.#counters.get(this.#scope + base) ?? 0;
      this.#counters.set(this.#scope + base, count + 1);
      const name = count === 0 ? this.#scope + base : `${this.#scope}${base}_${count}`;
      if (!this.#names.has(name)) return name;
    }
  }

  /** A node's operator and its outputs' types. They stay as they are: values and constants are defined once. */
  #inferNode(node: Node): Inferred {
    if (this.#inferred?.node === node) return this.#inferred.result;
    const result = this.#inferAnew(node);
    this.#inferred = { node, result };
    return result;
  }

  #inferAnew(node: Node): Inferred {
    const operator =
      findOperator(node.operator) ?? refuse(`${node.name}: no operator "${node.operator}"`, { node: node.name, operator: node.operator });
    const context = this.#inferContext(operator, node);
    const types = operator.infer(context);
    if (types.length !== node.outputs.length) {
      refuse(`${node.name} (${node.operator}): has ${types.length} outputs, but the node names ${node.outputs.length}`, { node: node.name });
    }
    checkSizes(context, types);
    return { operator, context, types };
  }

  #inferContext(operator: Operator, node: Node): InferContext {
    const inputs = node.inputs.map((name) => (name === "" ? undefined : this.value(name)));
    const fail = (message: string): never => {
      const shapes = inputs.map((input) => (input === undefined ? "-" : `${input.dtype} ${formatShape(input.shape)}`)).join(", ");
      throw new EspalierError("GRAPH_SHAPE", `${node.name} (${node.operator} of ${shapes}): ${message}`, {
        node: node.name,
        operator: node.operator,
      });
    };
    const [fewest, most] = operator.inputs;
    if (inputs.length < fewest || inputs.length > most)
      fail(`takes ${fewest === most ? fewest : `${fewest} to ${most}`} inputs, not ${inputs.length}`);
    if (node.outputs.length < operator.outputs[0] || node.outputs.length > operator.outputs[1]) fail(`cannot have ${node.outputs.length} outputs`);
    return {
      inputs,
      outputCount: node.outputs.length,
      attributes: readAttributes(operator, node.name, node.attributes),
      input: (index) => inputs[index] ?? fail(`input ${index} is required`),
      constant: (index) => this.#constants[node.inputs[index] ?? ""],
      dimensions: (index) => this.dimensionsOf(node.inputs[index] ?? ""),
      fail,
    };
  }
}

/** What is known of a node before it is added. */
interface Inferred {
  readonly operator: Operator;
  readonly context: InferContext;
  readonly types: readonly ValueType[];
}

/** No backend holds a value of more; attributes and constants of a file may ask for any size. */
const maxElements = 2 ** 31;

function checkSizes(context: InferContext, types: readonly ValueType[]): void {
  for (const { shape } of types) {
    const { count } = symbolicCount(shape);
    const isWhole = shape.every((size) => size === "batch" || (Number.isSafeInteger(size) && size >= 0));
    if (!isWhole) context.fail(`the result would be ${formatShape(shape)}: a size must be a whole number`);
    if (count > maxElements) context.fail(`the result would be ${formatShape(shape)}, more than ${maxElements} elements`);
  }
}

/** Computed shapes have a few elements; what is larger is data, whose contents nobody follows. */
const maxContents = 4096;

function contentsOf(operator: Operator, context: InferContext, [type]: readonly ValueType[]): readonly Dimension[] | undefined {
  const { count } = symbolicCount(type?.shape ?? []);
  return type !== undefined && count <= maxContents ? operator.contents?.(context) : undefined;
}

/** A record without a prototype: a value may be called "constructor". */
function record<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>; // an object of no keys is such a record
}

function trimAbsent(inputs: readonly (Value | undefined)[]): readonly (Value | undefined)[] {
  let end = inputs.length;
  while (end > 0 && inputs[end - 1] === undefined) end -= 1;
  return inputs.slice(0, end);
}

function refuse(message: string, details: Record<string, unknown>): never {
  throw new EspalierError("GRAPH_INVALID", message, details);
}
