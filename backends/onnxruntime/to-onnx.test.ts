import * as runtime from "onnxruntime-node";
import { expect, test } from "vitest";
import {
  convNet,
  decodeOnnx,
  GraphBuilder,
  linear,
  mlp,
  Random,
  tensor,
  toNumbers,
  toOnnx,
  type Graph,
  type Model,
  type Tensor,
  type Tensors,
} from "../../core/index.ts";
import { openReference } from "../reference/index.ts";

const classification = { task: "classification", classes: 4 } as const;
const models: readonly Model[] = [
  linear({ width: 5, head: { task: "regression" }, seed: 1 }),
  mlp({ width: 7, head: classification, seed: 2 }),
  convNet({ shape: [1, 8, 8], head: classification, seed: 3 }),
  convNet({ shape: [3, 9, 7], head: classification, seed: 4 }),
];

for (const [i, { graph, state }] of models.entries()) {
  for (const batch of [1, 5]) {
    test(`model ${i} ("${graph.name}") exported to ONNX answers as the reference backend to 1e-5, at batch ${batch}`, async () => {
      const feeds = draw(graph, batch);
      const expected = await onReference(graph, state, feeds);
      for (const [bytes, inputs] of [
        [toOnnx(graph, { state }), feeds],
        [toOnnx(graph), { ...feeds, ...state }],
      ] as const) {
        const given = await onOnnxRuntime(bytes, inputs);
        expect(Object.keys(given)).toEqual(Object.keys(expected));
        for (const [name, value] of Object.entries(expected)) {
          expect(given[name]?.shape).toEqual(value.shape);
          const wanted = toNumbers(value);
          toNumbers(given[name] as Tensor).forEach((number, k) => expect(Math.abs(number - (wanted[k] ?? Number.NaN))).toBeLessThan(1e-5));
        }
      }
    });
  }
}

test("the file names the batch dimension, opset 21, its producer and its metadata", () => {
  const { graph, state } = mlp({ width: 7, head: classification });
  const model = decodeOnnx(toOnnx(graph, { state, metadata: { license: "none" } }));
  expect(model).toMatchObject({ producer: "espalier", opsets: { "": 21 }, irVersion: 10, metadata: { license: "none" } });
  expect(model.inputs).toEqual([{ name: "features", dtype: "float32", shape: ["batch", 7] }]);
  expect(model.outputs).toEqual([{ name: "logits", dtype: "float32", shape: ["batch", 4] }]);
  expect(Object.keys(model.initializers)).toEqual(expect.arrayContaining(graph.state.map(({ name }) => name)));
});

test("outputs that share a value, are an input, or have another value's name are exported under their own names", async () => {
  const b = new GraphBuilder("names");
  const x = b.input("x", "float32", ["batch", 2]);
  const w = b.state("w", "float32", [2]);
  const inner = b.op("Neg", [x], {}, { name: "y" });
  const sum = b.op("Add", [inner, w], {}, { name: "sum" });
  b.output("y", sum); // the name of another value
  b.output("again", sum);
  b.output("x", x);
  b.output("weights", w);
  const graph = b.build();
  const state = { w: tensor("float32", [2], [10, 20]) };
  const given = await onOnnxRuntime(toOnnx(graph, { state }), { x: tensor("float32", [1, 2], [1, 2]) });
  const numbers = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, toNumbers(value)]));
  expect(numbers).toEqual({ y: [9, 18], again: [9, 18], x: [1, 2], weights: [10, 20] });
});

test("a training graph, missing weights and an impossible output name are refused", () => {
  const b = new GraphBuilder("counter");
  b.update("n", b.op("Neg", [b.state("n", "float32", [])]));
  expect(() => toOnnx(b.build())).toThrow(expect.objectContaining({ code: "GRAPH_INVALID", message: expect.stringContaining("training graph") }));
  const { graph } = mlp({ width: 7, head: classification });
  expect(() => toOnnx(graph, { state: {} })).toThrow(expect.objectContaining({ code: "TENSOR_INVALID" }));
  const c = new GraphBuilder("clash");
  c.output("x", c.op("Neg", [c.input("x", "float32", [1])]));
  expect(() => toOnnx(c.build())).toThrow(expect.objectContaining({ code: "GRAPH_INVALID", message: expect.stringContaining('output "x"') }));
});

function draw(graph: Graph, batch: number): Tensors {
  const random = new Random(11);
  return Object.fromEntries(
    graph.inputs.map(({ name, shape }) => {
      const sizes = shape.map((size) => (size === "batch" ? batch : size));
      return [
        name,
        tensor(
          "float32",
          sizes,
          random.uniforms(
            sizes.reduce((a, b) => a * b, 1),
            { low: -1 },
          ),
        ),
      ];
    }),
  );
}

async function onReference(graph: Graph, state: Tensors, feeds: Tensors): Promise<Tensors> {
  const backend = openReference();
  const executable = await backend.compile(graph, { state });
  const outputs = await executable.run(feeds);
  await backend.dispose();
  return outputs;
}

async function onOnnxRuntime(model: Uint8Array, feeds: Tensors): Promise<Tensors> {
  const session = await runtime.InferenceSession.create(model);
  const inputs = Object.entries(feeds).map(([name, { shape, data }]) => [name, new runtime.Tensor("float32", data as Float32Array, shape)] as const);
  const results = await session.run(Object.fromEntries(inputs));
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { dims, data }]) => [name, tensor("float32", dims, data as Float32Array)]));
}
