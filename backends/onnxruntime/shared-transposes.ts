import type { Graph, Node, ValueName } from "../../core/index.ts";

/**
 * A graph whose products read and write transposed values where they are: attention's keys and values, which products forward and backward want in
 * different orders, are then moved once, and without scattering single floats. ONNX Runtime reads operands across (FusedMatMul) whose last two axes alone
 * are exchanged.
 *
 * MatMul(q, Transpose(k, [0, 2, 3, 1])) becomes MatMul(q, across(Transpose(k, [0, 2, 1, 3]))), and Transpose(MatMul(across(a), b), [0, 3, 1, 2]) becomes
 * Transpose(MatMul(across(b), a), [0, 2, 1, 3]).
 */
export function shareTransposes(graph: Graph): Graph {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const readers = new Map<ValueName, Node[]>();
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      const known = readers.get(input);
      if (known === undefined) readers.set(input, [node]);
      else known.push(node);
    }
  }
  const results = new Set(Object.values(graph.outputs));
  const rewriting = new Rewriting(graph);
  for (const node of graph.nodes) {
    const [input = "", output = ""] = [node.inputs[0], node.outputs[0]];
    const perm = permOf(node);
    const product = producers.get(input);
    const isRead = !results.has(output) && readers.get(output)?.every(isProduct) === true;
    const isWritten =
      product !== undefined &&
      isProduct(product) &&
      product.inputs.every((value) => (graph.values[value]?.shape.length ?? 0) > 1) &&
      readers.get(input)?.length === 1 &&
      !results.has(input);
    if (perm === undefined || graph.values[output]?.dtype !== "float32") rewriting.keep(node, perm);
    else if (isRead && movesRows(exchanged(perm))) rewriting.readAcross(node, perm);
    else if (isWritten && movesRows(renamed(perm))) rewriting.writeAcross(node, product, perm);
    else rewriting.keep(node, perm);
  }
  return rewriting.graph();
}

/** The nodes of the graph to be. */
class Rewriting {
  readonly #graph: Graph;
  readonly #nodes: Node[] = [];
  readonly #values: Record<ValueName, Graph["values"][string]> = {};
  /** Values that others stand for. */
  readonly #same = new Map<ValueName, ValueName>();
  /** Transposed values by what they are of and how. */
  readonly #transposed = new Map<string, ValueName>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** A node as it is, or nothing when its transposed value is there already. */
  keep(node: Node, perm: readonly number[] | undefined): void {
    const [input = "", output = ""] = [node.inputs[0], node.outputs[0]];
    const known = perm && this.#transposed.get(keyOf(this.#now(input), perm));
    if (known !== undefined && !Object.values(this.#graph.outputs).includes(output)) {
      this.#same.set(output, known);
      return;
    }
    if (perm !== undefined) this.#transposed.set(keyOf(this.#now(input), perm), output);
    this.#nodes.push({ ...node, inputs: node.inputs.map((value) => this.#now(value)) });
  }

  /** A transposed value that products alone read: with its last axis in place, and that across. */
  readAcross({ name, inputs: [input = ""], outputs: [output = ""] }: Node, perm: readonly number[]): void {
    const base = this.#transpose(this.#now(input), exchanged(perm), `${name}/rows`);
    this.#across(base, { name, output });
  }

  /** A product that is transposed: the product of its operands across, in the other order. */
  writeAcross({ name, outputs: [output = ""] }: Node, product: Node, perm: readonly number[]): void {
    const [left = "", right = ""] = product.inputs.map((value) => this.#now(value));
    const operands = [right, left].map((value, i) => this.#acrossOf(value, `${name}/${i}`));
    const value = `${name}/product`;
    const shape = this.#shapeOf(product.outputs[0] ?? "");
    this.#define(value, product.outputs[0] ?? "", swapped(shape));
    this.#nodes.push({ ...product, name: `${name}/MatMul`, inputs: operands, outputs: [value] });
    this.#nodes.push({ name, operator: "Transpose", inputs: [value], outputs: [output], attributes: { perm: [...renamed(perm)] } });
  }

  graph(): Graph {
    const needed = new Set(Object.values(this.#graph.outputs));
    const nodes = this.#nodes.toReversed().filter((node) => {
      const isNeeded = node.outputs.some((value) => needed.has(value));
      if (isNeeded) for (const input of node.inputs) needed.add(input);
      return isNeeded;
    });
    return { ...this.#graph, nodes: nodes.toReversed(), values: { ...this.#graph.values, ...this.#values } };
  }

  #now(value: ValueName): ValueName {
    return this.#same.get(value) ?? value;
  }

  #transpose(value: ValueName, perm: readonly number[], name: string): ValueName {
    const key = keyOf(value, perm);
    const known = this.#transposed.get(key);
    if (known !== undefined) return known;
    const shape = this.#shapeOf(value);
    this.#define(
      name,
      value,
      perm.map((axis) => shape[axis] ?? 1),
    );
    this.#nodes.push({ name, operator: "Transpose", inputs: [value], outputs: [name], attributes: { perm: [...perm] } });
    this.#transposed.set(key, name);
    return name;
  }

  #across(value: ValueName, { name, output }: { readonly name: string; readonly output: ValueName }): void {
    const perm = acrossOf(this.#shapeOf(value).length);
    this.#nodes.push({ name, operator: "Transpose", inputs: [value], outputs: [output], attributes: { perm: [...perm] } });
    this.#transposed.set(keyOf(value, perm), output);
  }

  /** A value across: what it is across of, when it is. */
  #acrossOf(value: ValueName, name: string): ValueName {
    const perm = acrossOf(this.#shapeOf(value).length);
    const node = this.#nodes.find(({ outputs }) => outputs[0] === value);
    if (node !== undefined && permOf(node)?.join() === perm.join()) return node.inputs[0] ?? value;
    return this.#transpose(value, perm, name);
  }

  #define(name: ValueName, like: ValueName, shape: Graph["values"][string]["shape"]): void {
    const type = this.#values[like] ?? this.#graph.values[like];
    if (type !== undefined) this.#values[name] = { ...type, shape };
  }

  #shapeOf(value: ValueName): Graph["values"][string]["shape"] {
    return (this.#values[value] ?? this.#graph.values[value])?.shape ?? [];
  }
}

function permOf({ operator, attributes }: Node): readonly number[] | undefined {
  const perm = operator === "Transpose" ? attributes["perm"] : undefined;
  return Array.isArray(perm) && perm.length > 2 ? perm.map(Number) : undefined;
}

function keyOf(value: ValueName, perm: readonly number[]): string {
  return `${perm.join()} ${value}`;
}

function isProduct({ operator }: Node): boolean {
  return operator === "MatMul";
}

/** Whether an order moves whole rows: the last axis stays where it is, and another does not. */
function movesRows(perm: readonly number[]): boolean {
  return perm.at(-1) === perm.length - 1 && perm.some((axis, i) => axis !== i);
}

/** The last two of what is read, exchanged. */
function renamed(perm: readonly number[]): readonly number[] {
  const last = perm.length - 1;
  return perm.map((axis) => (axis === last ? last - 1 : axis === last - 1 ? last : axis));
}

/** The last two of what is written, exchanged. */
function exchanged(perm: readonly number[]): readonly number[] {
  return [...perm.slice(0, -2), perm.at(-1) ?? 0, perm.at(-2) ?? 0];
}

function acrossOf(rank: number): readonly number[] {
  return exchanged(Array.from({ length: rank }, (_, axis) => axis));
}

function swapped<T>(sizes: readonly T[]): readonly T[] {
  return [...sizes.slice(0, -2), ...sizes.slice(-2).toReversed()];
}
