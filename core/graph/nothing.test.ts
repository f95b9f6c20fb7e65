import { expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { tensor, toNumbers, type Tensor } from "../tensor.ts";
import { bindBatch } from "./bind-batch.ts";
import { GraphBuilder } from "./builder.ts";
import { simplify } from "./simplify.ts";

test("nodes that compute no elements leave constants of none, and public ones keep their names", () => {
  const b = new GraphBuilder("empty");
  const x = b.input("x", "float32", ["batch", 4, 0]);
  const [first = x, second = x] = b.ops("Split", [b.op("Exp", [x])], 2, { axis: 1, num_outputs: 2 });
  b.output("first", first);
  b.output("whole", b.op("Concat", [second, b.input("z", "float32", ["batch", 2, 3])], { axis: 2 }));
  const graph = bindBatch(b.build(), 3);
  expect(graph.nodes.map(({ operator }) => operator)).toEqual(["Identity", "Concat"]);
  expect(graph.values[graph.outputs["first"] ?? ""]?.shape).toEqual([3, 2, 0]);
});

test("reductions of nothing are what the reference backend makes of it, without a node", async () => {
  const names = ["Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"];
  const b = new GraphBuilder("reductions");
  const x = b.input("x", "float32", [0, 3]);
  for (const name of names) b.output(name, b.op("Exp", [b.op(`Reduce${name}`, [x, b.ints([0])], { keepdims: 0 })]));
  const graph = b.build();
  const small = simplify(graph);
  expect(small.nodes.some(({ operator }) => operator.startsWith("Reduce"))).toBe(false);
  const backend = openReference();
  const feeds = { x: tensor("float32", [0, 3], []) };
  const [plain, folded] = await Promise.all([graph, small].map(async (item) => (await backend.compile(item)).run(feeds)));
  for (const name of names) expect(toNumbers(folded?.[name] as Tensor)).toEqual(toNumbers(plain?.[name] as Tensor)); // both have every output
});

test("the largest of no whole numbers has no value to be folded to, and a batch that is open nothing to be known of", () => {
  const b = new GraphBuilder("open");
  b.output("largest", b.op("ReduceMax", [b.input("x", "int32", [0, 3]), b.ints([0])]));
  b.output("empty", b.op("Exp", [b.input("z", "float32", ["batch", 0])]));
  expect(simplify(b.build()).nodes.map(({ operator }) => operator)).toEqual(["ReduceMax", "Exp"]);
});
