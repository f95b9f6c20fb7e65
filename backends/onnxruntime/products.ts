import { findOperator, readAttributes, toNumbers, type Graph, type Node, type ValueName } from "../../core/index.ts";
import { joinedProducts } from "./joined-products.ts";
import { maskedGradient } from "./fusions/activation-bounds.ts";
import type { Fused, FusionContext } from "./fusions/fusion.ts";
import type { ProductCall } from "./machine/compile.ts";
import { worthCode, type Product } from "./machine/product.ts";
import { strided, type Strided } from "./strided.ts";

/** Nodes that one product as machine code takes the place of. */
export interface FoundProduct extends ProductCall {
  /** Left, right, and what is added where something is. */
  readonly inputs: readonly ValueName[];
  /** What the last of the nodes makes. */
  readonly output: ValueName;
}

/**
 * The products of matrices that machine code computes, by the last of the nodes that each takes the place of.
 *
 * It reads operands where they are, transposed by nodes or not, and what follows a product is done with its sums before they are written: a factor, a row
 * or matrix that is added, Relu, a transposition of rows.
 *
 * @param kernels what takes the place of nodes already: what it reads must be there
 */
export function findProducts(context: FusionContext, kernels: ReadonlyMap<Node, Pick<Fused, "inputs" | "outputs">>): ReadonlyMap<Node, FoundProduct> {
  const search = new Search(context, kernels);
  const joined = joinedProducts(context.graph);
  for (const node of context.graph.nodes) {
    const sum = joined.get(node);
    if (sum !== undefined) search.joined(node, sum);
    else if (node.operator === "MatMul") search.matMul(node);
    else if (node.operator === "Gemm") search.gemm(node);
  }
  return search.found;
}

/** A product while its successors are looked at. */
interface Chain {
  readonly product: Product;
  readonly inputs: readonly ValueName[];
  readonly last: Node;
  readonly shape: readonly number[];
  /** Where the distances of the result's axes are, that batches and rows were merged from. */
  readonly layout: Layout;
  readonly isTransposed?: boolean;
}

/** The leading axes of a product with how far apart their values are. */
interface Axis {
  readonly size: number;
  readonly left: number;
  readonly right: number;
  readonly result: number;
}

interface Layout {
  readonly axes: readonly Axis[];
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly left: { readonly row: number; readonly depth: number };
  readonly right: { readonly depth: number; readonly column: number };
  readonly row: number;
}

class Search {
  readonly found = new Map<Node, FoundProduct>();
  readonly #context: FusionContext;
  readonly #graph: Graph;
  /** Values that kernels read or make. */
  readonly #claimed: ReadonlySet<ValueName>;
  /** Nodes that a product or a kernel took along. */
  readonly #taken: Set<Node>;

  constructor(context: FusionContext, kernels: ReadonlyMap<Node, Pick<Fused, "inputs" | "outputs">>) {
    this.#context = context;
    this.#graph = context.graph;
    this.#claimed = new Set([...kernels.values()].flatMap(({ inputs, outputs }) => inputs.concat(outputs)));
    this.#taken = new Set(kernels.keys());
  }

  matMul(node: Node): void {
    const [a, b] = node.inputs.map((input) => this.#view(input));
    if (a === undefined || b === undefined || a.shape.length < 2 || b.shape.length < 2) return;
    const shape = this.#shapeOf(node.outputs[0] ?? "");
    if (shape === undefined) return;
    const result = strided("", shape);
    const leading = shape.slice(0, -2);
    const axes = leading.map((size, axis): Axis => {
      const distance = (of: Strided): number => {
        const own = axis - (leading.length - (of.shape.length - 2));
        return own < 0 || of.shape[own] === 1 ? 0 : (of.strides[own] ?? 0);
      };
      return { size, left: distance(a), right: distance(b), result: result.strides[axis] ?? 0 };
    });
    this.#start(node, {
      inputs: [a.value, b.value],
      scale: a.scale * b.scale,
      shape,
      layout: {
        axes,
        rows: a.shape.at(-2) ?? 0,
        columns: b.shape.at(-1) ?? 0,
        depth: a.shape.at(-1) ?? 0,
        left: { row: a.strides.at(-2) ?? 0, depth: a.strides.at(-1) ?? 0 },
        right: { depth: b.strides.at(-2) ?? 0, column: b.strides.at(-1) ?? 0 },
        row: result.strides.at(-2) ?? 0,
      },
    });
  }

  gemm(node: Node): void {
    const operator = findOperator("Gemm");
    const [a, b] = node.inputs.slice(0, 2).map((input) => this.#view(input));
    const shape = this.#shapeOf(node.outputs[0] ?? "");
    if (operator === undefined || a === undefined || b === undefined || shape === undefined) return;
    const attributes = readAttributes(operator, node.name, node.attributes);
    const [left, right] = [across(a, attributes.int("transA") !== 0), across(b, attributes.int("transB") !== 0)];
    const bias = node.inputs[2] ?? "";
    const isRow = this.#graph.values[bias]?.shape.join() === String(shape[1]) && attributes.float("beta") === 1;
    if (bias !== "" && !isRow) return;
    this.#start(node, {
      inputs: bias === "" ? [a.value, b.value] : [a.value, b.value, bias],
      scale: a.scale * b.scale * attributes.float("alpha"),
      shape,
      layout: matrixLayout(left, right),
    });
  }

  joined(
    node: Node,
    { left, right, length, rows, columns }: { left: ValueName; right: ValueName; length: number; rows: number; columns: number },
  ): void {
    const [a, b] = [strided(left, [length, rows]), strided(right, [length, columns])];
    this.#start(node, { inputs: [left, right], scale: 1, shape: [rows, columns], layout: matrixLayout(across(a, true), b) });
  }

  #start(node: Node, { inputs, scale, shape, layout }: Pick<Chain, "inputs" | "shape" | "layout"> & { readonly scale: number }): void {
    if (inputs.some((value) => this.#graph.values[value]?.dtype !== "float32") || shape.includes(0) || !isFactor(scale)) return;
    const product = productOf(layout, { scale, third: inputs.length === 3 ? "row" : "none" });
    if (product === undefined) return;
    let chain: Chain = { product, inputs, last: node, shape, layout };
    const followed: Node[] = [];
    for (let next = this.#follow(chain); next !== undefined; next = this.#follow(chain)) {
      followed.push(next.last);
      chain = next;
    }
    if (!worthCode(chain.product)) return;
    for (const taken of followed) this.#taken.add(taken);
    const output = chain.last.outputs[0] ?? "";
    this.found.set(chain.last, { product: chain.product, inputs: chain.inputs, output, shape: this.#shapeOf(output) ?? [] });
  }

  /** The chain with the node after it, when that alone reads its result and can be done before the result is written. */
  #follow(chain: Chain): Chain | undefined {
    const value = chain.last.outputs[0] ?? "";
    const [node] = this.#context.readers(value);
    if (node === undefined || this.#context.uses(value) > 1 || this.#claimed.has(value) || this.#taken.has(node)) return undefined;
    if (chain.isTransposed === true || chain.product.relu || chain.product.third === "gate") return undefined;
    const { product, shape } = chain;
    const other = node.inputs.find((input) => input !== value) ?? "";
    switch (node.operator) {
      case "Mul": {
        if (product.third !== "none") return undefined;
        const gate = this.#gate(node, value);
        if (gate !== undefined) return { ...chain, last: node, product: { ...product, third: "gate" }, inputs: [...chain.inputs, gate] };
        const factor = this.#number(other);
        if (factor === undefined || !isFactor(product.scale * factor) || !this.#keepsShape(node, shape)) return undefined;
        return { ...chain, last: node, product: { ...product, scale: product.scale * factor } };
      }
      case "Add": {
        if (product.third !== "none" || !this.#keepsShape(node, shape) || this.#graph.values[other]?.dtype !== "float32") return undefined;
        const added = this.#shapeOf(other);
        const third = added?.join() === shape.join() ? "matrix" : added?.length === 1 && added[0] === product.columns ? "row" : undefined;
        return third && { ...chain, last: node, product: { ...product, third }, inputs: [...chain.inputs, other] };
      }
      case "Relu":
        return { ...chain, last: node, product: { ...product, relu: true } };
      case "Transpose": {
        if (product.third === "matrix") return undefined;
        const moved = transposed(chain, permOf(node, shape.length));
        return moved && { ...moved, last: node };
      }
      default:
        return undefined;
    }
  }

  /** Where a value is in memory, seen through transpositions and factors. */
  #view(value: ValueName): Strided | undefined {
    const shape = this.#shapeOf(value);
    if (shape === undefined) return undefined;
    const node = this.#context.producer(value);
    if (node !== undefined && this.#taken.has(node)) return strided(value, shape); // written as it is read
    if (node?.operator === "Transpose") {
      const of = this.#view(node.inputs[0] ?? "");
      const perm = permOf(node, shape.length);
      return of && { ...of, shape, strides: perm.map((axis) => of.strides[axis] ?? 0) };
    }
    if (node?.operator === "Mul" && !this.#claimed.has(value)) {
      for (const [input = "", factor] of [node.inputs, node.inputs.toReversed()]) {
        const number = this.#number(factor ?? "");
        const of = number === undefined || this.#context.producer(input, "Transpose") === undefined ? undefined : this.#view(input);
        const scale = (of?.scale ?? 1) * (number ?? 1);
        if (of !== undefined && isFactor(scale) && of.shape.join() === shape.join()) return { ...of, scale };
      }
    }
    return strided(value, shape);
  }

  /** What Relu gave, where a node multiplies its gradient with whether that is above 0. */
  #gate(node: Node, gradient: ValueName): ValueName | undefined {
    const masked = maskedGradient(node, this.#context);
    const y = masked?.activation.operator === "Relu" ? masked.activation.outputs[0] : undefined;
    const isAlike = this.#graph.values[y ?? ""]?.shape.join() === this.#graph.values[gradient]?.shape.join();
    return masked?.gradient === gradient && isAlike && this.#keepsShape(node, this.#shapeOf(gradient) ?? []) ? y : undefined;
  }

  #number(value: ValueName): number | undefined {
    const constant = this.#graph.constants[value];
    return constant?.dtype === "float32" && constant.shape.every((size) => size === 1) ? toNumbers(constant)[0] : undefined;
  }

  #keepsShape(node: Node, shape: readonly number[]): boolean {
    return this.#shapeOf(node.outputs[0] ?? "")?.join() === shape.join();
  }

  #shapeOf(value: ValueName): readonly number[] | undefined {
    const shape = this.#graph.values[value]?.shape;
    const sizes = shape?.flatMap((size) => (size === "batch" ? [] : [size]));
    return sizes?.length === shape?.length ? sizes : undefined;
  }
}

/** Whether factors one after the other may be one: not where that overflows or loses bits of a float32, nor for 0, NaN and infinity. */
function isFactor(scale: number): boolean {
  const size = Math.abs(Math.fround(scale));
  return size >= 2 ** -126 && size < Infinity;
}

function across(view: Strided, isAcross: boolean): Strided {
  return isAcross ? { ...view, shape: view.shape.toReversed(), strides: view.strides.toReversed() } : view;
}

function matrixLayout(a: Strided, b: Strided): Layout {
  const [rows = 0, depth = 0] = a.shape;
  const [row = 0, step = 0] = a.strides;
  const [down = 0, column = 0] = b.strides;
  const columns = b.shape[1] ?? 0;
  return { axes: [], rows, columns, depth, left: { row, depth: step }, right: { depth: down, column }, row: columns };
}

function permOf({ attributes }: Node, rank: number): readonly number[] {
  const perm = attributes["perm"];
  return Array.isArray(perm) ? perm.map(Number) : Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
}

/** The chain whose result is written in another order of axes, the last of which stays where it is. */
function transposed(chain: Chain, perm: readonly number[]): Chain | undefined {
  const { layout, shape, product } = chain;
  if (perm.at(-1) !== perm.length - 1) return undefined;
  const written = strided(
    "",
    perm.map((axis) => shape[axis] ?? 0),
  );
  const distance = (axis: number): number => written.strides[perm.indexOf(axis)] ?? 0;
  const axes = layout.axes.map((axis, i) => ({ ...axis, result: distance(i) }));
  const moved = { ...layout, axes, row: distance(layout.axes.length) };
  const made = productOf(moved, product);
  return made && { ...chain, layout: moved, product: made, isTransposed: true };
}

/** The product of a layout, whose leading axes are merged to two and with the rows; undefined when there are more, or values lie in no line. */
function productOf(
  { axes, rows, columns, depth, left, right, row }: Layout,
  { scale, third }: Pick<Product, "scale" | "third">,
): Product | undefined {
  const merged: Axis[] = [];
  for (const axis of axes) {
    if (axis.size === 1) continue;
    const before = merged.at(-1);
    const follows = (["left", "right", "result"] as const).every((of) => before?.[of] === axis[of] * axis.size);
    if (before !== undefined && follows) merged.splice(-1, 1, { ...axis, size: before.size * axis.size });
    else merged.push(axis);
  }
  const inner = merged.at(-1);
  const isOneMatrix = inner?.right === 0 && inner.left === rows * left.row && inner.result === rows * row;
  if (isOneMatrix) merged.pop();
  const allRows = isOneMatrix ? rows * inner.size : rows;
  const [outer, last] = [merged.length > 1 ? merged[0] : undefined, merged.at(-1)];
  const isLine = (left.row === 1 || left.depth === 1) && (right.depth === 1 || right.column === 1);
  if (merged.length > 2 || !isLine) return undefined;
  const along = (of: "left" | "right" | "result"): readonly [number, number] => (outer ? [outer[of], last?.[of] ?? 0] : [last?.[of] ?? 0, 0]);
  return {
    batches: outer ? [outer.size, last?.size ?? 1] : [last?.size ?? 1, 1],
    rows: allRows,
    columns,
    depth,
    left: { batches: along("left"), ...left },
    right: { batches: along("right"), ...right },
    result: { batches: along("result"), row },
    scale,
    third,
    relu: false,
  };
}
