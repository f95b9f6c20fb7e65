import { expect, test } from "vitest";
import { openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import { openReference } from "../../backends/reference/index.ts";
import {
  dtypeCodes,
  elementCount,
  GraphBuilder,
  importOnnx,
  Random,
  tensor,
  toOnnx,
  type Graph,
  type Tensor,
  type Tensors,
} from "../../core/index.ts";
import { compareTensors } from "./compare.ts";
import { runOnnx } from "./onnx-session.ts";

/** A network whose weights, inputs and results are float16, as models for accelerators are kept. */
function halfNetwork(): { readonly graph: Graph; readonly state: Tensors } {
  const builder = new GraphBuilder("half");
  const x = builder.input("x", "float16", ["batch", 6]);
  const [w, b, v] = [builder.state("w", "float16", [6, 5]), builder.state("b", "float16", [5]), builder.state("v", "float16", [5, 3])];
  const hidden = builder.op("Mul", [builder.op("Tanh", [builder.op("Add", [builder.op("MatMul", [x, w]), b])]), builder.scalar(0.5, "float16")]);
  const logits = builder.op("MatMul", [hidden, v]);
  builder.output("logits", logits);
  builder.output("probabilities", builder.op("Softmax", [builder.op("Cast", [logits], { to: dtypeCodes.float32 })], { axis: -1 }));
  const random = new Random(16);
  const half = (...shape: readonly number[]): Tensor => tensor("float16", shape, Array.from(random.normals(elementCount(shape))));
  return { graph: builder.build(), state: { w: half(6, 5), b: half(5), v: half(5, 3) } };
}

const feeds: Tensors = { x: tensor("float16", [2, 6], Array.from(new Random(3).normals(12))) };

test("a float16 network is exported as ONNX, answered by ONNX Runtime, and read again as it was", async () => {
  const { graph, state } = halfNetwork();
  const reference = openReference();
  const executable = await reference.compile(graph, { state });
  const expected = await executable.run(feeds);
  const bytes = toOnnx(graph, { state });
  const [given = {}] = await runOnnx(bytes, [feeds]);
  compareTensors(given, expected, { tolerance: 3e-3, what: "ONNX Runtime" }); // it rounds where two of its kernels meet, or does not
  const again = importOnnx(bytes);
  expect(again.graph.inputs).toEqual(graph.inputs);
  const imported = await reference.compile(again.graph, { state: again.state });
  expect(await imported.run(feeds)).toEqual(expected);
  await Promise.all([executable.dispose(), imported.dispose()]);
});

test.each(["auto", "onnxruntime-node"] as const)("onnxruntime runs it with the binding %s: float16 feeds, weights and results", async (binding) => {
  const { graph, state } = halfNetwork();
  const [tested, trusted] = [await openOnnxRuntime({ thread: "inline", threads: 1, binding }), openReference()];
  const [a, b] = [await tested.compile(graph, { state }), await trusted.compile(graph, { state })];
  compareTensors(await a.run(feeds), await b.run(feeds), { tolerance: 2e-3, what: binding });
  expect(await a.readState()).toEqual(state);
  await tested.dispose();
});
