import { expect, test } from "vitest";
import { GraphBuilder, Random, tensor, toNumbers, type Graph, type Tensor } from "../../core/index.ts";
import { openReference } from "../reference/index.ts";
import { openOnnxRuntime } from "./backend.ts";
import { planGraph } from "./plan.ts";

interface Form {
  readonly axes?: readonly number[];
  readonly keepdims?: number;
}

/** The sum of x^T dY over leading axes, as the gradient of a dense layer over sequences writes it. */
function sumOfProducts({ axes = [0, 1], keepdims = 0 }: Form = {}): Graph {
  const builder = new GraphBuilder("products");
  const x = builder.input("x", "float32", [2, 3, 4, 5]);
  const dy = builder.input("dy", "float32", [2, 3, 4, 6]);
  const product = builder.op("MatMul", [builder.op("Transpose", [x], { perm: [0, 1, 3, 2] }), dy]);
  builder.output("sum", builder.op("ReduceSum", [product, builder.ints(axes)], { keepdims }));
  return builder.build();
}

test("a sum of products over all leading axes is one product, with the reference's values", async () => {
  const graph = sumOfProducts();
  const operators = planGraph(graph).model?.nodes.map(({ operator }) => operator);
  expect(operators).toEqual(["Reshape", "Reshape", "Gemm"]);
  const feeds = {
    x: tensor("float32", [2, 3, 4, 5], new Random(1).uniforms(120, { low: -1 })),
    dy: tensor("float32", [2, 3, 4, 6], new Random(2).uniforms(144, { low: -1 })),
  };
  const [backend, reference] = [await openOnnxRuntime({ thread: "inline", threads: 1 }), openReference()];
  const [given, expected] = [await (await backend.compile(graph)).run(feeds), await (await reference.compile(graph)).run(feeds)];
  const wanted = toNumbers(expected["sum"] as Tensor);
  expect((given["sum"] as Tensor).shape).toEqual([5, 6]);
  toNumbers(given["sum"] as Tensor).forEach((value, i) => expect(Math.abs(value - (wanted[i] ?? Number.NaN))).toBeLessThan(1e-5));
  await backend.dispose();
  await reference.dispose();
});

test("other sums of products are left as they are", () => {
  for (const form of [{ axes: [0] }, { axes: [0, 2] }, { keepdims: 1 }]) {
    expect(planGraph(sumOfProducts(form)).model?.nodes.map(({ operator }) => operator)).toEqual(["Transpose", "MatMul", "ReduceSum"]);
  }
});
