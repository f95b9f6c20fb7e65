import type { Graph, Node } from "../graph/graph.ts";
import { elementCount } from "../tensor.ts";
import { sizesOf, type BoundTypes } from "./sizes.ts";

/** Sizes of a node's values. */
interface NodeSizes {
  readonly node: Node;
  readonly input: (index: number) => readonly number[];
  readonly output: (index: number) => readonly number[];
}

type Count = (sizes: NodeSizes) => number;

const perOutput: Count = ({ node, output }) => node.outputs.reduce((sum, _, i) => sum + elementCount(output(i)), 0);
const perInput: Count = ({ input }) => elementCount(input(0));

function perWindow({ node, output }: NodeSizes): number {
  const kernel = node.attributes["kernel_shape"];
  return elementCount(output(0)) * (Array.isArray(kernel) ? elementCount(kernel.map(Number)) : 1);
}

/** Gates x (input + recurrent) products for each element of a sequence: W is [directions, gates x hidden, inputs], R [directions, gates x hidden, hidden]. */
const perStep: Count = ({ input }) => 2 * elementCount(input(0).slice(0, 2)) * (elementCount(input(1)) + elementCount(input(2)));

/** A multiplication and an addition are two operations, as in the usual figures of networks. */
const counts: Readonly<Record<string, Count>> = {
  MatMul: ({ input, output }) => 2 * elementCount(output(0)) * (input(0).at(-1) ?? 1),
  Gemm: ({ node, input, output }) => 2 * elementCount(output(0)) * (input(0)[node.attributes["transA"] === 1 ? 0 : 1] ?? 1),
  // Each output element takes one product for each element of its group's kernel.
  Conv: ({ input, output }) => 2 * elementCount(output(0)) * elementCount(input(1).slice(1)),
  ConvTranspose: ({ input }) => 2 * elementCount(input(0)) * elementCount(input(1).slice(1)),
  // As many as the convolution itself: a product for each element of its output and its group's kernel.
  ConvInputGrad: ({ input }) => 2 * elementCount(input(0)) * elementCount(input(1).slice(1)),
  ConvWeightGrad: ({ input, output }) => 2 * elementCount(input(1)) * elementCount(output(0).slice(1)),
  // Scores of every query with every key, and the values' sums by them.
  Attention: ({ input, output }) => 2 * (elementCount(input(0)) + elementCount(output(0))) * (input(1).at(-2) ?? 1),
  MaxPool: perWindow,
  AveragePool: perWindow,
  LpPool: perWindow,
  LSTM: perStep,
  DropoutLSTM: perStep,
  GRU: perStep,
  DropoutGRU: perStep,
  RNN: perStep,
  DropoutRNN: perStep,
};

const moving: ReadonlySet<string> = new Set(
  (
    "Reshape Flatten Squeeze Unsqueeze Identity Transpose Concat Split Slice Gather GatherND GatherElements Expand Tile Pad Cast Shape Size Constant " +
    "ConstantOfShape DepthToSpace SpaceToDepth Dropout OneHot Range"
  ).split(" "),
);
const reducing: ReadonlySet<string> = new Set([
  "GlobalAveragePool",
  "GlobalMaxPool",
  "GlobalLpPool",
  "ArgMax",
  "ArgMin",
  "ReduceSum",
  "ReduceMean",
  "ReduceMax",
  "ReduceMin",
  "ReduceProd",
  "ReduceL1",
  "ReduceL2",
  "ReduceSumSquare",
  "ReduceLogSumExp",
]);

/**
 * Floating-point operations of one node: exact for products, an operation an element for elementwise arithmetic, an operation an input element for
 * reductions and pooling over windows, none for movement.
 */
export function nodeFlops(node: Node, bound: BoundTypes): number {
  const sizes: NodeSizes = {
    node,
    input: (index) => sizesOf(node.inputs[index] ?? "", bound),
    output: (index) => sizesOf(node.outputs[index] ?? "", bound),
  };
  if (moving.has(node.operator)) return 0;
  if (reducing.has(node.operator)) return perInput(sizes);
  return (counts[node.operator] ?? perOutput)(sizes);
}

/** What a graph costs. */
export interface FlopsReport {
  readonly total: number;
  /** By operator, the most first. */
  readonly operators: Readonly<Record<string, number>>;
  /** By node, in their order. */
  readonly nodes: Readonly<Record<string, number>>;
}

/**
 * Floating-point operations of one run of a graph, a multiplication and an addition being two.
 *
 * @param options.batch rows; default 1
 * @example countFlops(resnet50.graph).total // 8.2e9: twice the 4.1e9 multiply-adds that the paper counts
 */
export function countFlops(graph: Graph, { batch = 1 }: { readonly batch?: number } = {}): FlopsReport {
  const bound = { types: graph.values, batch };
  const nodes = Object.fromEntries(graph.nodes.map((node) => [node.name, nodeFlops(node, bound)]));
  const operators = new Map<string, number>();
  for (const { name, operator } of graph.nodes) operators.set(operator, (operators.get(operator) ?? 0) + (nodes[name] ?? 0));
  const sorted = [...operators].toSorted(([, a], [, b]) => b - a);
  return { total: sorted.reduce((sum, [, count]) => sum + count, 0), operators: Object.fromEntries(sorted), nodes };
}
