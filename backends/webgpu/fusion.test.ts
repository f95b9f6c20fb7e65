import { expect, test } from "vitest";
import { GraphBuilder, type Graph } from "../../core/index.ts";
import { rootsOf } from "./aliases.ts";
import { groupNodes } from "./fusion.ts";
import { liveNodes, scheduleNodes } from "./liveness.ts";

/** The operators of each group in the order in which they run; a product before the operators behind it. */
function groupsOf(graph: Graph, maxBindings = 8): readonly string[] {
  const root = rootsOf(graph);
  const kept = new Set([...Object.values(graph.outputs), ...Object.values(graph.updates)].map(root));
  const nodes = scheduleNodes(liveNodes(graph));
  return groupNodes(graph, { nodes, root, kept, maxBindings }).map(({ head, nodes: members }) =>
    [...(head ? [head.operator] : []), ...members.map((node) => node.operator)].join(" "),
  );
}

test("a chain of elementwise operators behind a product is one kernel with it", () => {
  const b = new GraphBuilder("chain");
  const product = b.op("MatMul", [b.input("x", "float32", [4, 3]), b.input("w", "float32", [3, 2])]);
  b.output("y", b.op("Sigmoid", [b.op("Add", [product, b.input("bias", "float32", [2])])]));
  expect(groupsOf(b.build())).toEqual(["MatMul Add Sigmoid"]);
});

test("a value that is read twice inside one group stays inside", () => {
  const b = new GraphBuilder("swish");
  const x = b.op("Neg", [b.input("x", "float32", [4])]);
  b.output("y", b.op("Mul", [x, b.op("Sigmoid", [x])]));
  expect(groupsOf(b.build())).toEqual(["Neg Sigmoid Mul"]);
});

test("a value that is also returned, or read through other positions, is written to memory", () => {
  const b = new GraphBuilder("kept");
  const x = b.op("Exp", [b.input("x", "float32", [2, 3])]);
  b.output("exp", x);
  const y = b.op("Neg", [x]);
  b.output("turned", b.op("Relu", [b.op("Transpose", [y])]));
  expect(groupsOf(b.build())).toEqual(["Exp", "Neg", "Transpose Relu"]);
});

test("a product takes no operators whose results are broadcast beyond its own elements", () => {
  const b = new GraphBuilder("broadcast");
  const product = b.op("MatMul", [b.input("x", "float32", [1, 3]), b.input("w", "float32", [3, 2])]);
  b.output("y", b.op("Add", [product, b.input("z", "float32", [5, 2])]));
  expect(groupsOf(b.build())).toEqual(["MatMul", "Add"]);
});

test("a group never reads more values than a kernel can bind", () => {
  const b = new GraphBuilder("wide");
  const inputs = Array.from({ length: 20 }, (_, i) => b.input(`x${i}`, "float32", [4]));
  b.output(
    "y",
    inputs.reduce((sum, input) => b.op("Add", [sum, input])),
  );
  const groups = groupsOf(b.build(), 8);
  // Each group of n additions reads n + 1 values; with the result and the status that is at most 8.
  for (const group of groups) expect(group.split(" ").length + 3).toBeLessThanOrEqual(8);
  expect(groups.join(" ").split(" ")).toHaveLength(19);
});
