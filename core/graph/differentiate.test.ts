import { expect, test } from "vitest";
import type { Value } from "../operators/operator.ts";
import { scalar, tensor, toNumbers } from "../tensor.ts";
import { GraphBuilder } from "./builder.ts";
import { differentiate } from "./differentiate.ts";
import { simplify } from "./simplify.ts";

// With constants for inputs, simplify computes the whole gradient: hand-computed numbers need no backend. The operators' rules are
// checked against finite differences in test/conformance.
function derivatives(at: readonly number[], f: (b: GraphBuilder, x: readonly Value[]) => Value): readonly (number | undefined)[] {
  const b = new GraphBuilder("derivatives");
  const x = at.map((value) => b.constant(scalar(value, "float64")));
  differentiate(b, f(b, x), x).forEach((gradient, i) => b.output(`d${i}`, gradient));
  const graph = simplify(b.build());
  return at.map((_, i) => {
    const name = graph.outputs[`d${i}`] ?? "";
    const source = graph.nodes.find(({ outputs }) => outputs[0] === name)?.inputs[0];
    const constant = graph.constants[source ?? name];
    return constant && toNumbers(constant)[0];
  });
}

test("d(x^2 y + y) = 2xy, x^2 + 1", () => {
  expect(derivatives([3, 5], (b, [x, y]) => b.op("Add", [b.op("Mul", [b.op("Mul", [x, x]), y]), y]))).toEqual([30, 10]);
});

test("a value used many times gets the sum of its parts: d((x + x) x) = 4x", () => {
  expect(derivatives([3], (b, [x]) => b.op("Mul", [b.op("Add", [x, x]), x]))).toEqual([12]);
});

test("d(x / y) = 1/y, -x/y^2", () => {
  expect(derivatives([3, 4], (b, [x, y]) => b.op("Div", [x, y]))).toEqual([0.25, -0.1875]);
});

test("the gradient of the loss by itself is 1", () => {
  expect(derivatives([7], (b, [x]) => b.op("Identity", [x]))).toEqual([1]);
});

test("a value that the loss does not depend on has a gradient of zeros", () => {
  const b = new GraphBuilder("zeros");
  const [x, y] = [b.input("x", "float32", []), b.input("y", "float32", ["batch", 2])];
  const [dx, dy] = differentiate(b, b.op("Neg", [x]), [x, y]);
  expect(dx?.shape).toEqual([]);
  expect(dy?.shape).toEqual(["batch", 2]);
  expect(b.nodes.find(({ outputs }) => outputs[0] === dy?.name)?.operator).toBe("Expand");
});

test("gradients have the shapes of their values through broadcasting, batch included", () => {
  const b = new GraphBuilder("shapes");
  const x = b.input("x", "float32", ["batch", 4]);
  const bias = b.state("bias", "float32", [4]);
  const factor = b.state("factor", "float32", [1, 1]);
  const loss = b.op("ReduceMean", [b.op("Mul", [b.op("Add", [x, bias]), factor])], { keepdims: 0 });
  expect(differentiate(b, loss, [x, bias, factor]).map(({ shape }) => shape)).toEqual([["batch", 4], [4], [1, 1]]);
});

test("nothing is added for values that no one asks about", () => {
  const b = new GraphBuilder("lazy");
  const x = b.input("x", "float32", ["batch", 1, 8, 8]);
  const w = b.state("w", "float32", [2, 1, 3, 3]);
  differentiate(b, b.op("ReduceSum", [b.op("Conv", [x, w])], { keepdims: 0 }), [w]);
  const operators = b.nodes.map(({ operator }) => operator);
  expect(operators).toContain("ConvWeightGrad");
  expect(operators).not.toContain("ConvInputGrad");
});

test("paths through whole numbers and bools stop", () => {
  const b = new GraphBuilder("stops");
  const x = b.input("x", "float32", ["batch", 3]);
  const place = b.op("ArgMax", [x], { axis: 1 });
  const loss = b.op("ReduceSum", [b.op("Mul", [x, b.op("Cast", [place], { to: 1 })])], { keepdims: 0 });
  differentiate(b, loss, [x]);
  expect(b.nodes.filter(({ operator }) => operator === "ArgMax")).toHaveLength(1);
});

test("an operator without a rule is differentiated through its lowering", () => {
  // softplus'(0) = 1/2 has a rule; gelu'(0) = 1/2 has none.
  const b = new GraphBuilder("lowering");
  const x = b.input("x", "float32", ["batch"]);
  const [dx] = differentiate(b, b.op("ReduceSum", [b.op("Gelu", [x])], { keepdims: 0 }), [x]);
  expect(dx?.shape).toEqual(["batch"]);
  expect(b.nodes.map(({ operator }) => operator)).toContain("Erf");
});

test("gradients can be differentiated again: (x^4)'' = 12 x^2", () => {
  const b = new GraphBuilder("second");
  const x = b.constant(scalar(2, "float64"));
  const squared = b.op("Mul", [x, x]);
  const [first] = differentiate(b, b.op("Mul", [squared, squared]), [x]);
  const [second] = differentiate(b, first as Value, [x]);
  b.output("second", second as Value);
  const graph = simplify(b.build());
  const constant = graph.constants[graph.nodes[0]?.inputs[0] ?? ""];
  expect(constant && toNumbers(constant)).toEqual([48]);
});

test("a loss that is no float of one element is refused", () => {
  const b = new GraphBuilder("refused");
  const x = b.input("x", "float32", ["batch"]);
  expect(() => differentiate(b, x, [x])).toThrow(/the loss "x" is float32 \[batch\]: it must be one float; reduce it first/);
  const count = b.input("count", "int32", []);
  expect(() => differentiate(b, count, [x])).toThrow(/the loss "count" is int32/);
  expect(() => differentiate(b, b.op("ReduceSum", [x], { keepdims: 0 }), [count])).toThrow(/"count" is int32: only float values have gradients/);
});

test("a path through an operator that has no gradient is refused with the node and the operator", () => {
  const b = new GraphBuilder("refused");
  const scores = b.input("scores", "float32", ["batch", 3]);
  const weights = b.state("weights", "float32", [3]);
  const loss = b.op("SoftmaxCrossEntropyLoss", [scores, b.input("labels", "int32", ["batch"]), weights], {}, { name: "loss" });
  expect(() => differentiate(b, loss, [weights])).toThrow(/^loss \(SoftmaxCrossEntropyLoss\): class weights have no gradient/);
});

test("a loss of shape [1, 1] is as good as a scalar", () => {
  const b = new GraphBuilder("one");
  const x = b.constant(tensor("float64", [1, 1], [3]));
  const [dx] = differentiate(b, b.op("Mul", [x, x]), [x]);
  expect(dx?.shape).toEqual([1, 1]);
});
