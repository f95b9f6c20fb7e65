import { findOperator, readAttributes, toNumbers, type Graph, type Node, type ValueName } from "../../core/index.ts";

/** A sum of products over leading axes that is one product: [..., rows, m] transposed times [..., rows, n]. */
export interface JoinedProduct {
  readonly left: ValueName;
  readonly right: ValueName;
  /** Leading axes and rows together, m, n. */
  readonly length: number;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Sums of products that the weights' gradients of a dense layer over sequences are, by the node that sums: ReduceSum(MatMul(Transpose(x), dY)) over all leading axes.
 *
 * As one product over all steps they are neither written for each image nor added up: with [16, 128, 256] and [16, 128, 1024] 8.4 ms in one thread
 * instead of 12.2.
 */
export function joinedProducts(graph: Graph): ReadonlyMap<Node, JoinedProduct> {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  return new Map(
    graph.nodes.flatMap((node) => {
      const product = joined(graph, node, producers);
      return product === undefined ? [] : [[node, product] as const];
    }),
  );
}

function joined(graph: Graph, node: Node, producers: ReadonlyMap<ValueName, Node>): JoinedProduct | undefined {
  const matMul = node.operator === "ReduceSum" ? producers.get(node.inputs[0] ?? "") : undefined;
  const transpose = matMul?.operator === "MatMul" ? producers.get(matMul.inputs[0] ?? "") : undefined;
  const [left, right] = [transpose?.inputs[0] ?? "", matMul?.inputs[1] ?? ""];
  const [a, b] = [sizesOf(graph, left), sizesOf(graph, right)];
  if (transpose?.operator !== "Transpose" || a === undefined || b === undefined || graph.values[left]?.dtype !== "float32") return undefined;
  const rank = a.length;
  const [rows = 0, columns = 0] = [a.at(-1), b.at(-1)];
  const isPlain = rank > 2 && b.length === rank && a.slice(0, -1).every((size, i) => size === b[i]);
  if (!isPlain || !swapsLastAxes(transpose, rank) || !sumsLeadingAxes(graph, node, rank)) return undefined;
  return { left, right, length: a.slice(0, -1).reduce((x, y) => x * y, 1), rows, columns };
}

function swapsLastAxes(node: Node, rank: number): boolean {
  const perm = node.attributes["perm"];
  return Array.isArray(perm) && perm.every((axis, i) => axis === (i < rank - 2 ? i : 2 * rank - 3 - i));
}

function sumsLeadingAxes(graph: Graph, node: Node, rank: number): boolean {
  const operator = findOperator("ReduceSum");
  const axes = graph.constants[node.inputs[1] ?? ""];
  if (operator === undefined || axes === undefined || readAttributes(operator, node.name, node.attributes).int("keepdims") !== 0) return false;
  const given = new Set(toNumbers(axes).map((axis) => (axis < 0 ? axis + rank : axis)));
  return given.size === rank - 2 && Array.from({ length: rank - 2 }, (_, axis) => axis).every((axis) => given.has(axis));
}

function sizesOf(graph: Graph, value: ValueName): readonly number[] | undefined {
  const sizes = graph.values[value]?.shape.flatMap((size) => (size === "batch" ? [] : [size]));
  return sizes?.length === graph.values[value]?.shape.length ? sizes : undefined;
}
