import type { Graph, ValueName } from "../graph/graph.ts";
import type { Tensors } from "../tensor.ts";
import type { LayerCall } from "./layer-call.ts";
import type { ParameterTraining } from "./parameter-training.ts";

/** A network before or after training: its forward graph and the values of the graph's state. */
export interface Model {
  /** Forward only: inputs are feature tensors with a leading batch dimension; no updates. */
  readonly graph: Graph;
  /** A tensor for each of the graph's state values. */
  readonly state: Tensors;
  /** How it was made, for people and for run records: {"name":"mlp","hidden":[64,64]}. */
  readonly config: Readonly<Record<string, unknown>>;
  /** What training must know of single state values, by name: which are frozen, regularised or constrained. */
  readonly parameters?: Readonly<Record<ValueName, ParameterTraining>>;
  /** The layers that wrote the graph, in their order; absent where the graph came from somewhere else. */
  readonly layers?: readonly LayerCall[];
}
