import { EspalierError, findOperator, readAttributes, type Attributes, type Node, type Tensor, type ValueName } from "../../core/index.ts";
import type { Scalar, Storage, View } from "./storage.ts";
import type { Place } from "./memory.ts";
import type { Shader, Workgroups } from "./wgsl.ts";

/** One dispatch, before memory was planned. */
export interface Dispatch {
  readonly label: string;
  readonly code: string;
  /** In binding order. */
  readonly storages: readonly Storage[];
  readonly workgroups: Workgroups;
}

/** One dispatch over places in memory. */
export interface PlacedDispatch {
  readonly label: string;
  readonly code: string;
  readonly places: readonly Place[];
  readonly workgroups: Workgroups;
}

/** What a kernel that reads addresses sees, after memory was planned. */
export interface Placement {
  readonly placeOf: (storage: Storage) => Place;
  /** The largest range that can be bound. */
  readonly maxBindingBytes: number;
  /** Uploads a constant that depends on addresses. */
  readonly upload: (data: Uint32Array<ArrayBuffer>) => Place;
}

/** Dispatches that can only be written when addresses are known: those that walk over many values at once. */
export interface LateDispatch {
  readonly label: string;
  /** Everything it touches: its memory must be there. */
  readonly storages: readonly Storage[];
  readonly place: (placement: Placement) => readonly PlacedDispatch[];
}

/** How a kernel hands its result on: plainly stored, or through elementwise operators that were fused behind it. */
export interface Epilogue {
  /** The storage that is written. */
  readonly storage: Storage;
  /** WGSL statements that take the result `value` at flat index `index` and store what becomes of it. */
  readonly store: (shader: Shader, index: string, value: string) => string;
}

/** What differs between devices and changes which kernel is written. */
export interface Tuning {
  /** Product kernels that share tiles in workgroup memory. Better on GPUs, worse on software adapters (facts on WebGPU: 1.5 to 2.5 times). */
  readonly tiles: boolean;
  /** The most storage buffers that one kernel may bind. */
  readonly maxBindings: number;
}

/** What a kernel is written from. */
export interface KernelContext {
  readonly node: Node;
  readonly attributes: Attributes;
  readonly tuning: Tuning;
  /** A required input. */
  readonly input: (index: number) => View;
  /** An input that may be left out. */
  readonly optional: (index: number) => View | undefined;
  readonly inputCount: number;
  /** An output; its storage is given. */
  readonly output: (index: number) => View;
  readonly outputCount: number;
  /** Where output 0 goes. Kernels of `headOperators` must store through it; others own their output whole. */
  readonly epilogue: Epilogue;
  /** Memory for the time of this kernel. */
  readonly temporary: (scalar: Scalar, elements: number) => Storage;
  /** A table uploaded once. */
  readonly table: (data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>) => Storage;
  /** A number that the host works out in double precision before every run from what is fed. */
  readonly hostScalar: (compute: (feed: (input: ValueName) => Tensor) => number) => Storage;
  /** A number that a dispatch works out, apart from the arena. */
  readonly deviceScalar: () => Storage;
  /** The graph input that an input is, when it is one: a host scalar can read it. */
  readonly fedAs: (index: number) => ValueName | undefined;
  /** WGSL statement that reports a bad element of an input; the run then fails and writes no state. */
  readonly fault: (shader: Shader, value: string, describe: (value: number) => string) => string;
  /** How a kernel that writes state in place sees that an earlier one reported a bad element. Absent where none can. */
  readonly guard: { readonly storage: Storage; readonly condition: (binding: string) => string } | undefined;
  readonly dispatch: (dispatch: Dispatch) => void;
  readonly dispatchLate: (dispatch: LateDispatch) => void;
  readonly fail: (message: string) => never;
}

/** Writes the dispatches of one node. */
export type Kernel = (context: KernelContext) => void;

/** A node's attributes, checked, with defaults. */
export function attributesOf(node: Node): Attributes {
  const operator = findOperator(node.operator);
  if (operator === undefined) throw new EspalierError("GRAPH_INVALID", `${node.name}: no operator "${node.operator}"`, { node: node.name });
  return readAttributes(operator, node.name, node.attributes);
}

/** An axis counted from the front. */
export function positiveAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** Adds a finished shader as a dispatch. */
export function dispatchShader(
  context: Pick<KernelContext, "dispatch" | "node">,
  shader: Shader,
  { body, workgroups, width, part = "" }: { readonly body: string; readonly workgroups: Workgroups; readonly width?: number; readonly part?: string },
): void {
  const code = shader.source(body, width === undefined ? {} : { width });
  context.dispatch({ label: `${context.node.operator} ${context.node.name}${part}`, code, storages: shader.storages, workgroups });
}
