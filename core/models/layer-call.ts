import type { ValueName } from "../graph/graph.ts";

/** One use of a layer in a model: plain data, for summaries and configurations. A shared layer has several. */
export interface LayerCall {
  readonly name: string;
  /** Keras's class name. */
  readonly kind: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Present where training leaves the layer alone. */
  readonly trainable?: false;
  /** Values of the model's graph. */
  readonly inputs: readonly ValueName[];
  readonly outputs: readonly ValueName[];
  /** Names of the nodes that the call wrote. */
  readonly nodes: readonly string[];
  /** Names of the layer's state. */
  readonly state: readonly ValueName[];
  /** The calls of layers inside it, where there are some. */
  readonly layers?: readonly LayerCall[];
}
