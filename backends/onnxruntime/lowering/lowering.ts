import type { Attributes, DType } from "../../../core/index.ts";
import type { KernelCall } from "../kernels/compile.ts";
import type { ProductCall } from "../machine/compile.ts";
import type { OnnxEmitter } from "../onnx-emitter.ts";

/** A value of the model: its ONNX name and its type, with every size known. */
export interface Operand {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Whether its value is written into the model. */
  readonly isConstant?: boolean;
}

/** What a lowering sees. */
export interface LoweringContext {
  readonly emit: OnnxEmitter;
  readonly inputs: readonly (Operand | undefined)[];
  /** A required input. */
  readonly input: (index: number) => Operand;
  /** Types of the node's outputs. */
  readonly outputs: readonly Operand[];
  readonly attributes: Attributes;
  /** Whether the graph updates its state: its weights are others in every run. */
  readonly isTraining: boolean;
  /** Emits a kernel of our own, where they can be used, and returns the names of its outputs. */
  readonly kernel?: (call: KernelCall, inputs: readonly string[]) => readonly string[];
  /** Emits a product as machine code, where it can be used, and returns the name of its output. */
  readonly product?: (call: ProductCall, inputs: readonly string[]) => string;
}

/** How one operator is written for ONNX Runtime's CPU kernels, chosen by shape. */
export interface Lowering {
  readonly operator: string;
  /** Whether a node with these attributes needs it; every node of the operator where this is left out. */
  readonly applies?: (attributes: Attributes) => boolean;
  /** Whether it only serves speed, where kernels of our own are used and every size is known. */
  readonly isOptional?: boolean;
  /** Emits the nodes and returns the names of the outputs, or undefined when ONNX Runtime takes the node as it is. */
  lower(context: LoweringContext): readonly string[] | undefined;
}
