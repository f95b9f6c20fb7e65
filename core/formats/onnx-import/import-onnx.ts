import { EspalierError } from "../../errors.ts";
import { simplify } from "../../graph/simplify.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Model } from "../../models/model.ts";
import type { Tensors } from "../../tensor.ts";
import type { OnnxModel } from "../onnx-model.ts";
import { decodeOnnx } from "../onnx-reader.ts";
import type { ExternalData } from "../onnx-tensor.ts";
import type { Dimensions } from "./dimensions.ts";
import { GraphImporter } from "./graph-importer.ts";

/** The opsets of ai.onnx whose forms of the operators are known. */
export const readableOpsets: { readonly oldest: number; readonly newest: number } = { oldest: 7, newest: 23 };

/** What `importOnnx` takes besides the bytes. */
export interface ImportOnnxOptions {
  /**
   * Sizes of the model's symbolic dimensions by name: {"height": 32}. "batch" keeps one symbolic. A dimension without a name is called by its
   * input and axis, "x.0". Default: the batch is the symbol "batch", else that of the first symbolic first axis, else the only one; any other must be given here.
   */
  readonly dimensions?: Dimensions;
  /** Inputs that get one value for good, such as a sampling rate that the model branches on. They are no inputs of the result. */
  readonly constants?: Tensors;
  /** Reads weights that are in other files than the model. */
  readonly externalData?: ExternalData;
}

/**
 * An ONNX file's inference graph as a model of Espalier: runs on every backend, is differentiated and trained like any other.
 *
 * Opsets 7 to 23. Float weights become parameters (those of a normalisation's running statistics: statistics); whole numbers, single numbers
 * written by Constant nodes and what shape rules read stay constants. What is computed from constants and sizes alone is computed here, and
 * `If` over such a condition is replaced by its branch.
 *
 * @throws DATA_MALFORMED when the bytes are not an ONNX model; FORMAT_UNSUPPORTED for opsets, element types and constructs that are not read;
 *   BACKEND_OPERATOR_MISSING naming all operators that Espalier does not have; ARGUMENT_INVALID when a symbolic dimension has no size or an
 *   option names what the model does not have; GRAPH_SHAPE when shapes do not go together, which for a model exported for one batch size is
 *   mended by giving that size
 * @example
 * const model = importOnnx(bytes, { dimensions: { height: 32, width: 320 } });
 * const executable = await backend.compile(model.graph, { state: model.state });
 */
export function importOnnx(bytes: Uint8Array, { externalData, ...options }: ImportOnnxOptions = {}): Model {
  return importOnnxModel(decodeOnnx(bytes, externalData === undefined ? {} : { externalData }), options);
}

/** What `importOnnx` makes of a file that was decoded before. @throws as `importOnnx` */
export function importOnnxModel(model: OnnxModel, { dimensions = {}, constants = {} }: Omit<ImportOnnxOptions, "externalData"> = {}): Model {
  const opset = readableOpset(model);
  const importer = new GraphImporter(model, { opset, dimensions, constants });
  const graph = simplify(importer.run());
  const used = new Set([...graph.nodes.flatMap((node) => node.inputs), ...Object.values(graph.outputs)]);
  const state = graph.state.filter(({ name }) => used.has(name));
  return {
    graph: { ...graph, state, values: withoutUnusedState(graph, used) },
    state: Object.fromEntries(state.map(({ name }) => [name, importer.weights(name)])),
    config: { name: graph.name, format: "onnx", opset, producer: model.producer },
  };
}

function readableOpset({ opsets }: OnnxModel): number {
  const opset = Object.hasOwn(opsets, "") ? opsets[""] : undefined;
  const { oldest, newest } = readableOpsets;
  if (opset === undefined) throw new EspalierError("DATA_MALFORMED", "not an ONNX model: it does not say which opset of ai.onnx it uses");
  if (opset >= oldest && opset <= newest) return opset;
  throw new EspalierError(
    "FORMAT_UNSUPPORTED",
    `importOnnx: the model uses opset ${opset}, but ${oldest} to ${newest} are read; convert it, as onnx.version_converter does`,
    { opset, oldest, newest },
  );
}

function withoutUnusedState(graph: Graph, used: ReadonlySet<string>): Graph["values"] {
  const unused = new Set(graph.state.flatMap(({ name }) => (used.has(name) ? [] : [name])));
  return Object.fromEntries(Object.entries(graph.values).filter(([name]) => !unused.has(name)));
}
