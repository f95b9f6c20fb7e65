import { expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { dtypeCodes } from "../operators/cast.ts";
import type { Value } from "../operators/operator.ts";
import { tensor, type Tensor } from "../tensor.ts";
import { bindBatch } from "./bind-batch.ts";
import { GraphBuilder } from "./builder.ts";
import { simplify } from "./simplify.ts";

const table = tensor("int64", [2, 3], [1, 2, 3, 4, 5, 6]);
const halves = tensor("float32", [2, 2], [0.5, 1.5, -2.5, 3.5]);

/** Nodes over constants. Each is computed by the reference backend from fed tensors, and folded from the same tensors as constants. */
const moves: Readonly<Record<string, { readonly inputs: readonly Tensor[]; readonly build: (b: GraphBuilder, values: readonly Value[]) => Value }>> =
  {
    "Concat along the last axis": { inputs: [table, table], build: (b, values) => b.op("Concat", values, { axis: -1 }) },
    "Concat along the first axis": { inputs: [halves, halves], build: (b, values) => b.op("Concat", values, { axis: 0 }) },
    "Gather of columns, from the end": { inputs: [table], build: (b, [x]) => b.op("Gather", [x, b.ints([-1, 0])], { axis: 1 }) },
    "Gather of rows by a table": {
      inputs: [table],
      build: (b, [x]) => b.op("Gather", [x, b.constant(tensor("int64", [2, 2], [1, 0, 0, 1]))], { axis: 0 }),
    },
    "Slice backwards": { inputs: [table], build: (b, [x]) => b.op("Slice", [x, b.ints([-1]), b.ints([-1000]), b.ints([0]), b.ints([-1])]) },
    "Slice of two axes": { inputs: [table], build: (b, [x]) => b.op("Slice", [x, b.ints([0, 1]), b.ints([1, 9]), b.ints([0, -1])]) },
    "Transpose of a table": { inputs: [table], build: (b, [x]) => b.op("Transpose", [x]) },
    "Transpose by a permutation": {
      inputs: [tensor("float32", [1, 2, 3], [1, 2, 3, 4, 5, 6])],
      build: (b, [x]) => b.op("Transpose", [x], { perm: [2, 0, 1] }),
    },
  };

test.each(Object.entries(moves))("%s is folded to what the reference backend computes", async (_, { inputs, build }) => {
  const fed = new GraphBuilder("fed");
  fed.output(
    "y",
    build(
      fed,
      inputs.map((input, i) => fed.input(`x${i}`, input.dtype, input.shape)),
    ),
  );
  const executable = await openReference().compile(fed.build());
  const { y } = await executable.run(Object.fromEntries(inputs.map((input, i) => [`x${i}`, input])));

  const constant = new GraphBuilder("constant");
  constant.output(
    "y",
    build(
      constant,
      inputs.map((input) => constant.constant(input)),
    ),
  );
  const { nodes, constants } = simplify(constant.build());
  expect(nodes.map(({ operator }) => operator)).toEqual(["Identity"]);
  expect(constants[nodes[0]?.inputs[0] ?? ""]).toEqual(y);
});

/** Shapes as exporters compute them, of an input [batch, 4, 6]; the last element is where the batch ends up. */
const computed: Readonly<
  Record<string, { readonly build: (b: GraphBuilder, sizes: Value) => Value; readonly shape: readonly (number | "batch")[] }>
> = {
  "one size times another": {
    build: (b, sizes) => {
      const at = (i: number): Value => b.op("Unsqueeze", [b.op("Gather", [sizes, b.constant(tensor("int64", [], [i]))]), b.ints([0])]);
      return b.op("Concat", [at(0), b.op("Mul", [at(1), at(2)])], { axis: 0 });
    },
    shape: ["batch", 24],
  },
  "sizes halved through floats": {
    build: (b, sizes) => {
      const floats = b.op("Slice", [b.op("Cast", [sizes], { to: dtypeCodes.float32 }), b.ints([1]), b.ints([3])]);
      const half = b.op("Cast", [b.op("Mul", [floats, b.scalar(0.5, "float32")])], { to: dtypeCodes.int64 });
      return b.op("Concat", [b.op("Slice", [sizes, b.ints([0]), b.ints([1])]), half, b.ints([4])], { axis: 0 });
    },
    shape: ["batch", 2, 3, 4],
  },
  "-1 replaced by 1, as Expand wants it": {
    build: (b, sizes) => b.op("Where", [b.op("Equal", [sizes, b.ints([-1])]), b.ints([1, 1, 1]), sizes]),
    shape: ["batch", 4, 6],
  },
  "one element spread": {
    build: (b, sizes) => {
      const ones = b.op("Sub", [b.op("Expand", [b.ints([7]), b.ints([2])]), b.ints([6])]);
      return b.op("Concat", [ones, b.op("Div", [sizes, b.op("Squeeze", [b.ints([1])])])], { axis: 0 });
    },
    shape: [1, 1, "batch", 4, 6],
  },
};

test.each(Object.entries(computed))("a shape computed as %s is known while the batch is not", async (_, { build, shape }) => {
  const b = new GraphBuilder("computed");
  const x = b.input("x", "float32", ["batch", 4, 6]);
  const sizes = build(b, b.op("Shape", [x]));
  expect(b.dimensionsOf(sizes.name)).toEqual(shape);
  b.output("y", b.op("Reshape", [x, sizes]));
  const graph = b.build();
  expect(graph.values[graph.outputs["y"] ?? ""]?.shape).toEqual(shape);
  const bound = bindBatch(graph, 3);
  expect(bound.nodes.map(({ operator }) => operator)).toEqual(shape.length === 3 ? ["Identity"] : ["Reshape"]);
  const executable = await openReference().compile(graph);
  const { y } = await executable.run({
    x: tensor(
      "float32",
      [3, 4, 6],
      Array.from({ length: 72 }, (_, i) => i),
    ),
  });
  expect(y?.shape).toEqual(shape.map((size) => (size === "batch" ? 3 : size)));
});

test("sizes that depend on the batch size are not made up", () => {
  const b = new GraphBuilder("unknown");
  const sizes = b.op("Shape", [b.input("x", "float32", ["batch", 4])]);
  expect(b.dimensionsOf(b.op("Mul", [sizes, b.ints([2, 2])]).name)).toBeUndefined();
  expect(b.dimensionsOf(b.op("Equal", [sizes, b.ints([5, 5])]).name)).toBeUndefined();
  expect(b.dimensionsOf(b.op("Equal", [sizes, b.ints([0, 4])]).name)).toEqual([0, 1]);
  expect(b.dimensionsOf(b.op("Cast", [sizes], { to: dtypeCodes.bool }).name)).toBeUndefined();
});

test("contents that double again and again are given up before they fill the memory", () => {
  const b = new GraphBuilder("doubling");
  let sizes = b.op("Shape", [b.input("x", "float32", ["batch", 4])]);
  for (let i = 0; i < 29; i += 1) sizes = b.op("Concat", [sizes, sizes], { axis: 0 });
  expect(sizes.shape).toEqual([2 ** 30]);
  expect(b.dimensionsOf(sizes.name)).toBeUndefined();
});
