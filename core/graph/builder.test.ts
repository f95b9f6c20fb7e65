import { expect, test } from "vitest";
import { EspalierError } from "../errors.ts";
import { tensor } from "../tensor.ts";
import { GraphBuilder } from "./builder.ts";

test("a graph is written with every type inferred", () => {
  const b = new GraphBuilder("affine");
  const x = b.input("x", "float32", ["batch", 3]);
  const w = b.state("w", "float32", [3, 2]);
  b.output("y", b.op("MatMul", [x, w]));
  const graph = b.build();
  expect(graph.values["MatMul"]).toEqual({ dtype: "float32", shape: ["batch", 2] });
  expect(graph.nodes).toEqual([{ name: "MatMul", operator: "MatMul", inputs: ["x", "w"], outputs: ["MatMul"], attributes: {} }]);
  expect(graph.outputs).toEqual({ y: "MatMul" });
});

test("names are numbered, and scopes nest", () => {
  const b = new GraphBuilder("names");
  const x = b.input("x", "float32", [2]);
  const names = b.scope("outer", () => [b.op("Neg", [x]).name, b.scope("inner", () => b.op("Neg", [x]).name), b.op("Neg", [x]).name]);
  expect(names).toEqual(["outer/Neg", "outer/inner/Neg", "outer/Neg_1"]);
  expect(b.prefix).toBe("");
});

test("a made-up name steps aside for names that are reserved or taken", () => {
  const b = new GraphBuilder("names");
  b.reserve(["Neg", "Neg_1"]);
  expect(b.op("Neg", [b.input("x", "float32", [2])]).name).toBe("Neg_2");
});

test("values may have names that objects have members of", () => {
  const b = new GraphBuilder("names");
  const x = b.input("constructor", "float32", ["batch"]);
  b.output("__proto__", b.op("Neg", [x], {}, { name: "toString" }));
  const graph = b.build();
  expect(Object.keys(graph.outputs)).toEqual(["__proto__"]);
  expect(Object.keys(graph.values)).toEqual(["constructor", "toString"]);
});

test("what is defined twice is refused", () => {
  const b = new GraphBuilder("twice");
  const x = b.input("x", "float32", [2]);
  expect(() => b.input("x", "float32", [2])).toThrow(/value "x" is defined twice in graph "twice"/);
  b.output("y", x);
  expect(() => b.output("y", x)).toThrow(/output "y" is named twice/);
  b.op("Neg", [x], {}, { name: "n" });
  expect(() => b.addNode({ name: "n", operator: "Neg", inputs: ["x"], outputs: ["other"], attributes: {} })).toThrow(/node "n" is there twice/);
});

test("an unknown operator, an unknown value and a value of another builder are refused", () => {
  const b = new GraphBuilder("unknown");
  const x = b.input("x", "float32", [2]);
  expect(() => b.op("Relux", [x])).toThrow(/Relux: no operator "Relux"/);
  expect(() => b.op("Neg", [{ name: "z", dtype: "float32", shape: [2] }])).toThrow(/no value "z" in graph "unknown"/);
  expect(() => b.output("y", { name: "z", dtype: "float32", shape: [2] })).toThrow(/no value "z"/);
});

test("a wrong shape is an EspalierError with the node's name in its details", () => {
  const b = new GraphBuilder("wrong");
  const x = b.input("x", "float32", ["batch", 3]);
  try {
    b.op("MatMul", [x, b.state("w", "float32", [4, 2])], {}, { name: "dense/MatMul" });
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(EspalierError);
    expect(error).toMatchObject({ code: "GRAPH_SHAPE", details: { node: "dense/MatMul", operator: "MatMul" } });
  }
});

test("an update must have the state's type, and a state is written once", () => {
  const b = new GraphBuilder("updates");
  const w = b.state("w", "float32", [2]);
  expect(() => b.update("w", b.constant(tensor("float32", [3], [1, 2, 3])))).toThrow(
    /state "w" is float32 \[2\], but its new value is float32 \[3\]/,
  );
  expect(() => b.update("v", w)).toThrow(/no state "v"/);
  b.update("w", b.op("Neg", [w]));
  expect(() => b.update("w", w)).toThrow(/written twice/);
});

test("the nodes' numbers of inputs and outputs are checked", () => {
  const b = new GraphBuilder("counts");
  const x = b.input("x", "float32", [2]);
  expect(() => b.op("Add", [x])).toThrow(/takes 2 inputs, not 1/);
  expect(() => b.ops("Add", [x, x], 2)).toThrow(/cannot have 2 outputs/);
  expect(() => b.op("Add", [undefined, x])).toThrow(/input 0 is required/);
});
