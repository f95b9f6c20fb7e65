import { createBundle, type Bundle, type BundleContents } from "../bundle/bundle.ts";
import type { Manifest } from "../bundle/manifest.ts";
import { parseManifest } from "../bundle/parse-manifest.ts";
import type { Column, Columns } from "../columns.ts";
import { rowObject } from "../data/rows.ts";
import { EspalierError } from "../errors.ts";
import type { FittedFeatures, FittedTarget } from "../features/features.ts";
import { featuresInput } from "../features/transform.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { copyInto } from "../graph/copy-into.ts";
import { formatShape, type Graph, type GraphInput, type ValueName } from "../graph/graph.ts";
import { simplify } from "../graph/simplify.ts";
import type { Value } from "../operators/operator.ts";
import { tensor } from "../tensor.ts";
import { bundleMetadataKey } from "./bundle-to-onnx.ts";
import { importOnnxModel, type ImportOnnxOptions } from "./onnx-import/import-onnx.ts";
import { decodeOnnx } from "./onnx-reader.ts";

/** What the column of a folder of images is called: a model learns on with one. */
const imageColumn = "image";

/** What an ONNX file does not say about itself and a bundle must. */
export interface OnnxToBundleOptions extends ImportOnnxOptions {
  /** The bundle's name: letters, digits, ".", "_" and "-". */
  readonly name: string;
  /** What is told apart, in the order of the output's numbers. Without: the model's one number is a quantity. */
  readonly classes?: readonly string[];
  /** What the answer is called. Default `class`, or `quantity`. */
  readonly target?: string;
  /** Names of the numbers of an input [batch, n]. Default the input's name, numbered. */
  readonly columns?: readonly string[];
  /** Times the bytes of an image. Default 1 / 255. */
  readonly scale?: number;
  /** Taken off an image's scaled values, one number a channel. Default 0. */
  readonly mean?: readonly number[];
  /** Divides them then, one number a channel. Default 1. */
  readonly standardDeviation?: readonly number[];
  /** ISO 8601; the caller's clock. */
  readonly createdAt: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Where the model comes from, for its lineage. */
  readonly source: string;
}

/**
 * An ONNX file as a bundle that is served and learned on with: a model from one image [batch, channels, height, width] (or channels last), or from numbers [batch, n], to classes or one quantity.
 *
 * A file that `bundleToOnnx` wrote is the bundle that it was, with its features, target, metrics and lineage. Of others the caller says what the file does not: classes, columns, and how
 * pixels become the model's numbers, which is written into the graph. A Softmax or Sigmoid at the end is taken off, as a bundle's graph answers logits. There are no metrics: nothing was measured.
 *
 * @throws FORMAT_UNSUPPORTED for a model with other inputs or outputs; ARGUMENT_INVALID when the options do not fit its sizes; BUNDLE_INVALID for a bundle's metadata that were changed; and as `importOnnx`
 * @example
 * const bundle = onnxToBundle(bytes, { name: "pets", classes: ["cat", "dog"], createdAt: new Date().toISOString(), environment: {}, source: "pets.onnx" });
 */
export function onnxToBundle(bytes: Uint8Array, options: OnnxToBundleOptions): Bundle {
  const { name, createdAt, environment, source, externalData } = options;
  const file = decodeOnnx(bytes, externalData === undefined ? {} : { externalData });
  const model = importOnnxModel(file, options);
  const written = Object.hasOwn(file.metadata, bundleMetadataKey) ? file.metadata[bundleMetadataKey] : undefined;
  if (written !== undefined && options.classes === undefined && options.columns === undefined) return restored(written, { model, name, source });
  const wrapped = wrap(model.graph, options);
  return createBundle({
    name,
    model: { ...model, graph: wrapped.graph },
    features: wrapped.features,
    target: wrapped.target,
    inputs: wrapped.features.features.map((feature) =>
      feature.kind === "image"
        ? { name: feature.column, kind: "tensor", shape: feature.shape, optional: false }
        : { name: feature.column, kind: "number", shape: [], optional: false },
    ),
    example: exampleOf(wrapped.features),
    metrics: {},
    lineage: { seed: 0, data: { fingerprint: "", rows: 0, source } },
    environment,
    createdAt,
  });
}

/** The bundle whose manifest a file carries; it is not trusted more than any other's. */
function restored(json: string, { model, name, source }: Pick<BundleContents, "model" | "name"> & { readonly source: string }): Bundle {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new EspalierError("BUNDLE_INVALID", `${source}: its metadata "${bundleMetadataKey}" is not JSON`, { source }, { cause });
  }
  const empty = { graph: {}, tensors: {}, digest: "0".repeat(64) };
  const manifest: Manifest = parseManifest(typeof value === "object" && value !== null ? { ...value, ...empty } : value, source);
  return createBundle({ ...manifest, name, model: { ...model, config: manifest.model } });
}

interface Wrapped {
  readonly graph: Graph;
  readonly features: FittedFeatures;
  readonly target: FittedTarget;
}

/** The graph between the inputs that features make and the output that a target reads. */
function wrap(graph: Graph, options: OnnxToBundleOptions): Wrapped {
  const { classes, target = classes === undefined ? "quantity" : "class" } = options;
  const [input, ...others] = graph.inputs;
  const [output, ...more] = Object.keys(graph.outputs);
  if (input === undefined || output === undefined || others.length > 0 || more.length > 0) {
    throw unsupported(graph, `has ${graph.inputs.length} inputs and ${Object.keys(graph.outputs).length} outputs, and a bundle of it has one each`);
  }
  const builder = new GraphBuilder(graph.name);
  const { features, value } = inputOf(builder, graph, { input, options });
  const answer = answerOf(graph, output);
  const { answer: copied } = copyInto(builder, { ...graph, outputs: { answer: answer.value } }, { inputs: { [input.name]: value } });
  const width = copied?.shape[1];
  if (copied?.dtype !== "float32" || copied.shape.length !== 2 || typeof width !== "number") {
    throw unsupported(graph, `answers "${output}" ${typeText(graph, output)}, not float32 [batch, n]`);
  }
  if (classes === undefined) {
    if (width !== 1) throw misfit(`"${graph.name}" answers ${width} numbers; name them as classes`, { width });
    builder.output("prediction", copied);
    return finish({ task: "regression", column: target, mean: 0, standardDeviation: 1 });
  }
  const binary = width === 1 && classes.length === 2 && answer.function === "Sigmoid";
  if (!binary && width !== classes.length) {
    throw misfit(`"${graph.name}" answers ${width} numbers, and ${classes.length} classes were named`, { width, classes: classes.length });
  }
  if (new Set(classes).size !== classes.length) throw misfit("a class is named twice", { classes });
  // The logit of one class against another one's 0 has the Sigmoid as its Softmax.
  const zero = (): Value => builder.op("Mul", [copied, builder.scalar(0, "float32")]);
  builder.output("logits", binary ? builder.op("Concat", [zero(), copied], { axis: 1 }) : copied);
  return finish({ task: "classification", column: target, classes, numeric: false });

  function finish(fitted: FittedTarget): Wrapped {
    return { graph: simplify(builder.build()), features, target: fitted };
  }
}

interface InputContext {
  readonly input: GraphInput;
  readonly options: OnnxToBundleOptions;
}

/** The features, and the model's input made of what they give. */
function inputOf(
  builder: GraphBuilder,
  graph: Graph,
  { input, options }: InputContext,
): { readonly features: FittedFeatures; readonly value: Value } {
  const { scale = 1 / 255, columns } = options;
  const sizes = input.shape.slice(1).map(Number);
  if (input.dtype === "float32" && sizes.length === 1) {
    const [width = 0] = sizes;
    const names = columns ?? Array.from({ length: width }, (_, i) => `${input.name}_${i + 1}`);
    if (names.length !== width) throw misfit(`"${graph.name}" reads ${width} numbers, and ${names.length} columns were named`, { width, columns });
    if (new Set(names).size !== width) throw misfit("a column is named twice", { columns });
    const features = names.map((column) => ({ kind: "number", column, mean: 0, standardDeviation: 1, missing: false }) as const);
    return { features: { features }, value: builder.input(featuresInput, "float32", input.shape) };
  }
  if (input.dtype === "float32" && sizes.length === 3 && columns === undefined) {
    const [first = 0, second = 0, third = 0] = sizes;
    const isLast = ![1, 3, 4].includes(first) && [1, 3, 4].includes(third);
    const shape = isLast ? ([third, first, second] as const) : ([first, second, third] as const);
    const pixels = normalized(builder, builder.input(imageColumn, "float32", ["batch", ...shape]), options);
    const value = isLast ? builder.op("Transpose", [pixels], { perm: [0, 2, 3, 1] }) : pixels;
    return { features: { features: [{ kind: "image", column: imageColumn, shape, scale }] }, value };
  }
  throw unsupported(
    graph,
    `reads "${input.name}" ${input.dtype} ${formatShape(input.shape)}; a bundle of it reads an image, float32 [batch, channels, height, width], or numbers, float32 [batch, n]`,
  );
}

/** (pixels - mean) / deviation, by channel. */
function normalized(builder: GraphBuilder, pixels: Value, { mean, standardDeviation }: OnnxToBundleOptions): Value {
  const channels = Number(pixels.shape[1]);
  const constant = (numbers: readonly number[], what: string): Value => {
    if (numbers.length !== channels || !numbers.every(Number.isFinite)) {
      throw misfit(`${what} must be ${channels} numbers, one a channel, not ${numbers.join(", ")}`, { channels, numbers });
    }
    return builder.constant(tensor("float32", [channels, 1, 1], numbers), builder.freshName(what));
  };
  const centred = mean === undefined ? pixels : builder.op("Sub", [pixels, constant(mean, "mean")]);
  if (standardDeviation === undefined) return centred;
  if (standardDeviation.includes(0)) throw misfit("standardDeviation must not be 0: it divides", { standardDeviation });
  return builder.op("Div", [centred, constant(standardDeviation, "standardDeviation")]);
}

/** The value that an output is made of: what a Softmax over classes or a Sigmoid at the end reads, else the output. */
function answerOf(graph: Graph, output: string): { readonly value: ValueName; readonly function?: string } {
  const value = graph.outputs[output] ?? "";
  const last = graph.nodes.find(({ outputs }) => outputs.includes(value));
  const rank = graph.values[value]?.shape.length ?? 0;
  const axis = last?.attributes["axis"] ?? -1;
  const taken = last?.operator === "Sigmoid" || (last?.operator === "Softmax" && (axis === -1 || axis === rank - 1));
  return last !== undefined && taken ? { value: last.inputs[0] ?? "", function: last.operator } : { value };
}

/** Grey, or zeros: nothing is known of real rows. */
function exampleOf({ features }: FittedFeatures): Record<string, unknown> {
  const columns: Columns["columns"] = new Map(
    features.map((feature): [string, Column] => {
      if (feature.kind !== "image") return [feature.column, { kind: "number", values: new Float64Array(1) }];
      const size = feature.shape.reduce((product, n) => product * n, 1);
      return [feature.column, { kind: "tensor", shape: feature.shape, values: new Uint8Array(size).fill(128) }];
    }),
  );
  return rowObject({ length: 1, columns }, 0);
}

function typeText(graph: Graph, output: string): string {
  const type = graph.values[graph.outputs[output] ?? ""];
  return type === undefined ? "nothing" : `${type.dtype} ${formatShape(type.shape)}`;
}

function unsupported(graph: Graph, problem: string): EspalierError {
  return new EspalierError("FORMAT_UNSUPPORTED", `"${graph.name}" ${problem}; read it with importOnnx, and feed it yourself`, { graph: graph.name });
}

function misfit(message: string, details: Record<string, unknown>): EspalierError {
  return new EspalierError("ARGUMENT_INVALID", message, details);
}
