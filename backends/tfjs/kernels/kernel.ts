import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { Attributes, Node, OperatorUse, Tensor, ValueType } from "../../../core/index.ts";
import type { TfjsDevice } from "../device.ts";

/** A value's type once the batch size is known. */
export interface StaticType extends ValueType {
  readonly shape: readonly number[];
}

/** What is known of a node before anything runs. */
export interface NodeContext {
  readonly node: Node;
  readonly device: TfjsDevice;
  readonly attributes: Attributes;
  readonly inputTypes: readonly (StaticType | undefined)[];
  readonly outputTypes: readonly StaticType[];
  /** The type of a required input. */
  readonly inputType: (index: number) => StaticType;
  /** The type of the first output. */
  readonly outputType: StaticType;
  /** An input's contents where the graph holds them: axes, shapes, pads. */
  readonly constant: (index: number) => Tensor | undefined;
}

/** What a kernel sees when it runs. It may leave intermediate tensors behind: the run is tidied. */
export interface KernelContext extends NodeContext {
  readonly inputs: readonly (TfTensor | undefined)[];
  /** A required input. */
  readonly input: (index: number) => TfTensor;
  /** An input's contents where they are on the host: constants and feeds. */
  readonly host: (index: number) => Tensor | undefined;
}

/**
 * One ONNX operator over TensorFlow.js. Kernels read their inputs and make new tensors; they never write in place, because the wasm device packs weights
 * once per tensor.
 */
export interface Kernel {
  run(context: KernelContext): TfTensor | readonly TfTensor[];
  /** Whether it runs this use of the operator, where it runs only some: others are lowered or refused. */
  takes?(use: OperatorUse): boolean;
}

/** Kernels by operator name. */
export type Kernels = Readonly<Record<string, Kernel>>;

/** An input that holds whole numbers known before running; undefined when it is left out. */
export function constantInts(context: NodeContext, index: number): readonly number[] | undefined {
  const value = context.constant(index);
  return value === undefined ? undefined : Array.from(value.data, Number);
}

/** An axis counted from the front. */
export function fromFront(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}
