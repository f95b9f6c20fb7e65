import { expect, test } from "vitest";
import { findOperator, operators } from "../operators/index.ts";
import { tensor } from "../tensor.ts";
import { bindBatch } from "./bind-batch.ts";
import { GraphBuilder } from "./builder.ts";
import { copyInto } from "./copy-into.ts";
import { differentiate } from "./differentiate.ts";
import type { Graph } from "./graph.ts";
import { lower } from "./lower.ts";

function network(): Graph {
  const b = new GraphBuilder("network");
  const x = b.input("x", "float32", ["batch", 1, 6, 6]);
  const w = b.state("w", "float32", [2, 1, 3, 3]);
  const pooled = b.op("MaxPool", [b.op("Gelu", [b.op("Conv", [x, w])])], { kernel_shape: [2, 2], strides: [2, 2] });
  b.output("logits", b.op("Flatten", [pooled]));
  return b.build();
}

test("a graph that the backend has all operators of comes back as it is", () => {
  const graph = network();
  expect(lower(graph, () => true)).toBe(graph);
});

test("lowering replaces only what is missing, as deep as it must, and keeps public names and types", () => {
  const graph = network();
  const lowered = lower(graph, (operator) => !["Gelu", "MaxPool", "Max", "Flatten"].includes(operator));
  const left = new Set(lowered.nodes.map(({ operator }) => operator));
  expect(left).toEqual(new Set(["Conv", "Mul", "Add", "Erf", "Slice", "GreaterOrEqual", "Where", "Reshape"]));
  expect(lowered.values[lowered.outputs["logits"] ?? ""]).toEqual({ dtype: "float32", shape: ["batch", 8] });
  expect(lowered.inputs).toEqual(graph.inputs);
  expect(lowered.nodes.filter(({ name }) => name.startsWith("Gelu/")).length).toBeGreaterThan(3);
});

test("all operators that are missing are named at once, each with a node", () => {
  const missing = (): Graph => lower(network(), (operator) => !["Conv", "MatMul", "Gelu", "Erf"].includes(operator));
  expect(missing).toThrow(/graph "network" needs operators .*: MatMul \(node Conv\/MatMul\), Erf \(node Gelu\/Erf\)$/);
  expect(missing).toThrow(expect.objectContaining({ code: "BACKEND_OPERATOR_MISSING", details: { operators: ["MatMul", "Erf"] } }));
});

test("every operator of a domain of its own has a lowering, so that a backend with standard operators runs any graph", () => {
  const own = operators.filter(({ domain }) => domain !== "" && domain !== "ai.onnx.ml");
  expect(own.length).toBeGreaterThanOrEqual(8);
  expect(own.filter((operator) => operator.lower === undefined)).toEqual([]);
});

test("operator names are there once, and limits on inputs make sense", () => {
  expect(new Set(operators.map(({ name }) => name)).size).toBe(operators.length);
  for (const operator of operators) {
    expect(operator.inputs[0]).toBeLessThanOrEqual(operator.inputs[1]);
    expect(findOperator(operator.name)).toBe(operator);
  }
});

test("bindBatch leaves no symbolic size, folds what followed from it, and keeps outputs and updates", () => {
  const b = new GraphBuilder("training");
  const x = b.input("x", "float32", ["batch", 3]);
  const w = b.state("w", "float32", [3]);
  const loss = b.op("ReduceMean", [b.op("Mul", [x, w])], { keepdims: 0 });
  const [dw] = differentiate(b, loss, [w]);
  b.output("loss", loss);
  b.update("w", b.op("Sub", [w, dw ?? w]));
  const bound = bindBatch(b.build(), 4);
  expect(bound.inputs[0]?.shape).toEqual([4, 3]);
  for (const { shape } of Object.values(bound.values)) expect(shape).not.toContain("batch");
  expect(bound.nodes.map(({ operator }) => operator)).not.toContain("Shape");
  expect(Object.keys(bound.outputs)).toEqual(["loss"]);
  expect(Object.keys(bound.updates)).toEqual(["w"]);
});

test("bindBatch refuses what is no batch size, and a size that the graph's constants do not allow", () => {
  expect(() => bindBatch(network(), 0)).toThrow(/a batch size must be a whole number from 1, not 0/);
  expect(() => bindBatch(network(), 1.5)).toThrow(/not 1.5/);
});

test("copyInto gives the graph's outputs, shares state by name and renames what is taken", () => {
  const b = new GraphBuilder("both");
  const one = copyInto(b, network());
  const x = b.value("x");
  const two = copyInto(b, network(), { inputs: { x: b.op("Neg", [x]) } });
  expect(one["logits"]?.name).toBe("Flatten");
  expect(two["logits"]?.name).toBe("Flatten_1");
  b.output("difference", b.op("Sub", [one["logits"], two["logits"]]));
  const graph = b.build();
  expect(graph.state).toHaveLength(1);
  expect(graph.inputs).toHaveLength(1);
  expect(graph.nodes.filter(({ operator }) => operator === "Conv").map(({ inputs }) => inputs[1])).toEqual(["w", "w"]);
});

test("copyInto brings updates along", () => {
  const inner = new GraphBuilder("inner");
  const mean = inner.state("mean", "float32", [2], { role: "statistic" });
  inner.update("mean", inner.op("Mul", [mean, inner.scalar(0.9, "float32")]));
  const b = new GraphBuilder("outer");
  copyInto(b, inner.build());
  expect(b.build().updates).toEqual({ mean: "Mul" });
});

test("copyInto refuses an input of another type and state that meets another value", () => {
  const b = new GraphBuilder("refused");
  const flat = b.constant(tensor("float32", [2], [1, 2]));
  expect(() => copyInto(b, network(), { inputs: { x: flat } })).toThrow(/input "x" is float32 \[batch, 1, 6, 6\], but "constant" is float32 \[2\]/);
  const other = new GraphBuilder("refused");
  other.state("w", "float32", [5]);
  expect(() => copyInto(other, network())).toThrow(/state "w" \(parameter, float32 \[2, 1, 3, 3\]\) meets another value of that name/);
});
