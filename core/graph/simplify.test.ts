import { expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import type { Value } from "../operators/operator.ts";
import { scalar, tensor, toNumbers, type Tensor } from "../tensor.ts";
import { GraphBuilder } from "./builder.ts";
import type { Graph } from "./graph.ts";
import { printGraph } from "./print.ts";
import { simplify } from "./simplify.ts";

/** The operators that are left of a graph of x [batch, 2, 3], in order. */
function operatorsLeft(build: (b: GraphBuilder, x: Value) => Value): readonly string[] {
  return simplified(build).nodes.map(({ operator }) => operator);
}

function simplified(build: (b: GraphBuilder, x: Value) => Value): Graph {
  const b = new GraphBuilder("simplify");
  const x = b.input("x", "float32", ["batch", 2, 3]);
  b.output("y", b.op("Exp", [build(b, b.op("Tanh", [x]))]));
  return simplify(b.build());
}

test.each<{ what: string; build: (b: GraphBuilder, x: Value) => Value; left?: readonly string[] }>([
  { what: "x * 1", build: (b, x) => b.op("Mul", [x, b.scalar(1, "float32")]) },
  { what: "1 * x", build: (b, x) => b.op("Mul", [b.scalar(1, "float32"), x]) },
  { what: "x + 0", build: (b, x) => b.op("Add", [x, b.constant(tensor("float32", [3], [0, 0, 0]))]) },
  { what: "x - 0", build: (b, x) => b.op("Sub", [x, b.scalar(0, "float32")]) },
  { what: "x / 1", build: (b, x) => b.op("Div", [x, b.scalar(1, "float32")]) },
  { what: "x ^ 1", build: (b, x) => b.op("Pow", [x, b.scalar(1, "float32")]) },
  { what: "-(-x)", build: (b, x) => b.op("Neg", [b.op("Neg", [x])]) },
  { what: "Identity", build: (b, x) => b.op("Identity", [x]) },
  { what: "Cast to its own type", build: (b, x) => b.op("Cast", [x], { to: 1 }) },
  { what: "Expand to its own shape", build: (b, x) => b.op("Expand", [x, b.op("Shape", [x])]) },
  { what: "Concat of one", build: (b, x) => b.op("Concat", [x], { axis: 1 }) },
  { what: "Reshape there and back", build: (b, x) => b.op("Reshape", [b.op("Flatten", [x]), b.ints([-1, 2, 3])]) },
  { what: "Unsqueeze and Squeeze", build: (b, x) => b.op("Squeeze", [b.op("Unsqueeze", [x, b.ints([1])]), b.ints([1])]) },
  { what: "Transpose there and back", build: (b, x) => b.op("Transpose", [b.op("Transpose", [x], { perm: [1, 2, 0] })], { perm: [2, 0, 1] }) },
  { what: "a whole Slice", build: (b, x) => b.op("Slice", [x, b.ints([0]), b.ints([9]), b.ints([2])]) },
  { what: "a Pad of nothing", build: (b, x) => b.op("Pad", [x, b.ints([0, 0, 0, 0, 0, 0])]) },
  { what: "Where of a known condition", build: (b, x) => b.op("Where", [b.constant(scalar(1, "bool")), x, b.scalar(0, "float32")]) },
  {
    what: "a sum over an axis of size 1",
    build: (b, x) => b.op("ReduceSum", [b.op("Unsqueeze", [x, b.ints([0])]), b.ints([0])], { keepdims: 1 }),
    left: ["Unsqueeze"],
  },
  { what: "Flatten and Reshape on", build: (b, x) => b.op("Reshape", [b.op("Flatten", [x]), b.ints([-1, 3, 2])]), left: ["Reshape"] },
  {
    what: "two Transposes",
    build: (b, x) => b.op("Transpose", [b.op("Transpose", [x], { perm: [0, 2, 1] })], { perm: [2, 1, 0] }),
    left: ["Transpose"],
  },
])("$what leaves $left", ({ build, left = [] }) => {
  expect(operatorsLeft(build)).toEqual(["Tanh", ...left, "Exp"]);
});

test.each<{ what: string; build: (b: GraphBuilder, x: Value) => Value; left: readonly string[] }>([
  { what: "x * 0, which may be NaN", build: (b, x) => b.op("Mul", [x, b.scalar(0, "float32")]), left: ["Mul"] },
  { what: "x + 0 that broadcasts", build: (b, x) => b.op("Add", [x, b.constant(tensor("float32", [4, 1, 1, 1], [0, 0, 0, 0]))]), left: ["Add"] },
  { what: "1 - x", build: (b, x) => b.op("Sub", [b.scalar(1, "float32"), x]), left: ["Sub"] },
  { what: "a Slice backwards", build: (b, x) => b.op("Slice", [x, b.ints([-1]), b.ints([-9]), b.ints([2]), b.ints([-1])]), left: ["Slice"] },
  { what: "a Cast that changes the type", build: (b, x) => b.op("Cast", [b.op("Cast", [x], { to: 6 })], { to: 1 }), left: ["Cast", "Cast"] },
])("$what stays", ({ build, left }) => {
  expect(operatorsLeft(build)).toEqual(["Tanh", ...left, "Exp"]);
});

test("nodes that compute the same are merged, defaults written out or not", () => {
  const left = operatorsLeft((b, x) => b.op("Add", [b.op("Elu", [x]), b.op("Elu", [x], { alpha: 1 })]));
  expect(left).toEqual(["Tanh", "Elu", "Add", "Exp"]);
  expect(operatorsLeft((b, x) => b.op("Add", [b.op("Elu", [x]), b.op("Elu", [x], { alpha: 2 })]))).toEqual(["Tanh", "Elu", "Elu", "Add", "Exp"]);
});

test("dead nodes and constants go, inputs and state stay", () => {
  const b = new GraphBuilder("dead");
  const x = b.input("x", "float32", [2]);
  b.input("unused", "float32", ["batch"]);
  b.state("w", "float32", [2]);
  b.op("Mul", [x, b.constant(tensor("float32", [2], [1, 2]))]);
  b.output("y", b.op("Neg", [x]));
  const graph = simplify(b.build());
  expect(graph.nodes.map(({ operator }) => operator)).toEqual(["Neg"]);
  expect(graph.constants).toEqual({});
  expect(graph.inputs.map(({ name }) => name)).toEqual(["x", "unused"]);
  expect(graph.state.map(({ name }) => name)).toEqual(["w"]);
  expect(Object.keys(graph.values).toSorted()).toEqual(["Neg", "unused", "w", "x"]);
});

test("updates keep what they need, and an output that is an input keeps an Identity", () => {
  const b = new GraphBuilder("public");
  const x = b.input("x", "float32", [2]);
  const w = b.state("w", "float32", [2]);
  b.output("y", b.op("Mul", [x, b.scalar(1, "float32")]));
  b.output("before", b.op("Identity", [w]));
  b.update("w", b.op("Add", [w, x]));
  const graph = simplify(b.build());
  expect(graph.nodes.map(({ operator, inputs }) => `${operator} ${inputs.join()}`)).toEqual(["Identity x", "Identity w", "Add w,x"]);
  expect(simplify(graph)).toEqual(graph);
});

test("constants are folded in the arithmetic of their own type", () => {
  const b = new GraphBuilder("fold");
  const third = b.op("Div", [b.scalar(1, "float32"), b.scalar(3, "float32")]);
  const whole = b.op("Div", [b.constant(scalar(-7, "int64")), b.constant(scalar(2, "int64"))]);
  const row = b.op("Mul", [b.constant(tensor("float32", [2, 1], [2, 3])), b.constant(tensor("float32", [3], [1, 10, 100]))]);
  const rests = b.op("Mod", [b.ints([7, -7, 7]), b.ints([3, 3, -3])]);
  const differ = b.op("Xor", [b.op("Equal", [rests, b.ints([1, 1, 1])]), b.constant(tensor("bool", [3], [0, 0, 1]))]);
  for (const [name, value] of Object.entries({ third, whole, row, rests, differ })) b.output(name, value);
  const graph = simplify(b.build());
  const content = (name: string): Tensor | undefined =>
    graph.constants[graph.nodes.find(({ outputs }) => outputs[0] === graph.outputs[name])?.inputs[0] ?? ""];
  expect(content("third")?.data).toEqual(Float32Array.of(1 / 3));
  expect(content("whole")?.data).toEqual(BigInt64Array.of(-3n));
  expect(content("rests")?.data).toEqual(BigInt64Array.of(1n, 2n, -2n));
  expect(content("differ")?.data).toEqual(Uint8Array.of(1, 0, 1));
  expect(content("row")).toMatchObject({ shape: [2, 3], data: Float32Array.of(2, 20, 200, 3, 30, 300) });
});

test("what would not be exact, or would grow the graph, is not folded", () => {
  const b = new GraphBuilder("fold");
  const big = b.constant(scalar(2 ** 31 - 1, "int32"));
  b.output("overflow", b.op("Add", [big, b.constant(scalar(1, "int32"))]));
  b.output("zero", b.op("Div", [big, b.constant(scalar(0, "int32"))]));
  b.output("large", b.op("Expand", [b.scalar(0, "float32"), b.ints([100, 100])]));
  expect(simplify(b.build()).nodes.map(({ operator }) => operator)).toEqual(["Add", "Div", "Expand"]);
});

test("shapes are folded as far as they are known", () => {
  const graph = simplified((b, x) => b.op("Reshape", [x, b.op("Concat", [b.ints([-1]), b.op("Shape", [x], { start: 1 })], { axis: 0 })]));
  expect(graph.nodes.map(({ operator }) => operator)).toEqual(["Tanh", "Exp"]);
});

test("printGraph shows every part on a line of its own", () => {
  const b = new GraphBuilder("affine");
  const x = b.input("x", "float32", ["batch", 3]);
  const w = b.state("w", "float32", [3, 2]);
  const y = b.op("MatMul", [x, w]);
  b.output("y", b.op("Softmax", [b.op("Mul", [y, b.scalar(2, "float32")])], { axis: 1 }));
  b.update("w", b.op("Neg", [w]));
  expect(printGraph(b.build()).split("\n")).toEqual([
    "graph affine",
    "  input  x: float32 [batch, 3]",
    "  state  w: float32 [3, 2] (parameter)",
    "  const  constant: float32 [] = 2",
    "  MatMul: float32 [batch, 2] = MatMul(x, w)",
    "  Mul: float32 [batch, 2] = Mul(MatMul, constant)",
    "  Softmax: float32 [batch, 2] = Softmax(Mul, axis=1)",
    "  Neg: float32 [3, 2] = Neg(w)",
    "  output y = Softmax",
    "  update w <- Neg",
  ]);
});

test("a NaN or a negative zero among constants is not taken for another number", () => {
  const b = new GraphBuilder("zero");
  const x = b.input("x", "float32", [1]);
  b.output("a", b.op("Div", [x, b.scalar(0, "float32")]));
  b.output("b", b.op("Div", [x, b.scalar(-0, "float32")]));
  const graph = simplify(b.build());
  const divisors = graph.nodes.map(({ inputs }) => toNumbers(graph.constants[inputs[1] ?? ""] as Tensor)[0]); // both divisors are constants
  expect(divisors).toEqual([0, -0]);
});

test("zeros put around an image before a convolution become its pads, whatever pads it has, and values stay", async () => {
  const build = (pads: readonly number[]): Graph => {
    const b = new GraphBuilder("padded");
    const x = b.input("x", "float32", ["batch", 2, 4, 5]);
    const padded = b.op("Pad", [x, b.ints(pads)]);
    b.output(
      "y",
      b.op("Conv", [padded, b.state("w", "float32", [3, 2, 3, 2]), b.state("c", "float32", [3])], { pads: [0, 1, 1, 0], strides: [2, 1] }),
    );
    return b.build();
  };
  const graph = build([0, 0, 1, 2, 0, 0, 3, 0]);
  const small = simplify(graph);
  expect(small.nodes.map(({ operator, attributes }) => [operator, attributes["pads"]])).toEqual([["Conv", [1, 3, 4, 0]]]);
  const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
  const numbers = (shape: readonly number[], factor: number): Tensor =>
    tensor(
      "float32",
      shape,
      Array.from({ length: count(shape) }, (_, i) => Math.sin(factor * i)),
    );
  const state = { w: numbers([3, 2, 3, 2], 0.7), c: numbers([3], 2) };
  const backend = openReference();
  const [plain, fused] = await Promise.all([graph, small].map((item) => backend.compile(item, { state })));
  const x = numbers([2, 2, 4, 5], 0.3);
  expect(toNumbers((await fused!.run({ x }))["y"]!)).toEqual(toNumbers((await plain!.run({ x }))["y"]!));
  await backend.dispose();
});

test("a channel of zeros more, or a value other than zero, is no padding of an image", () => {
  const build = (pads: readonly number[], value: number): readonly string[] => {
    const b = new GraphBuilder("channels");
    const padded = b.op("Pad", [b.input("x", "float32", ["batch", 2, 4, 4]), b.ints(pads), b.scalar(value, "float32")]);
    b.output("y", b.op("Conv", [padded, b.state("w", "float32", [1, Number(padded.shape[1]), 2, 2])]));
    return simplify(b.build()).nodes.map(({ operator }) => operator);
  };
  expect(build([0, 1, 0, 0, 0, 0, 0, 0], 0)).toEqual(["Pad", "Conv"]);
  expect(build([0, 0, 1, 1, 0, 0, 1, 1], 1)).toEqual(["Pad", "Conv"]);
  expect(build([0, 0, -1, 0, 0, 0, 0, 0], 0)).toEqual(["Pad", "Conv"]);
  expect(build([0, 0, 1, 1, 0, 0, 1, 1], 0)).toEqual(["Conv"]);
});
