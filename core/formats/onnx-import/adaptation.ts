import type { Dimension } from "../../graph/graph.ts";
import type { Emitter, Value } from "../../operators/operator.ts";
import type { Tensor } from "../../tensor.ts";
import type { OnnxAttribute } from "../onnx-model.ts";

/** A node of the file with its inputs as values of the graph. */
export interface ImportedNode {
  readonly operator: string;
  /** "" for ai.onnx. */
  readonly domain: string;
  readonly inputs: readonly (Value | undefined)[];
  /** The number of outputs that are read. */
  readonly outputs: number;
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** What an adaptation writes with. */
export interface AdaptationContext {
  readonly emit: Emitter;
  /** The opset that the file declares. */
  readonly opset: number;
  readonly constant: (value: Value | undefined) => Tensor | undefined;
  /** The contents where they follow from constants and sizes. */
  readonly dimensions: (value: Value | undefined) => readonly Dimension[] | undefined;
  /** Throws FORMAT_UNSUPPORTED with the node's name and operator before the message. */
  readonly refuse: (message: string) => never;
}

/** How a node of an older form, or one that graphs write otherwise, becomes a node of opset 21; or the values that stand for its outputs. */
export interface Adaptation {
  /** Only for files of an opset before this one. */
  readonly before?: number;
  readonly adapt: (node: ImportedNode, context: AdaptationContext) => ImportedNode | readonly Value[];
}
