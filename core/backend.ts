import type { Graph } from "./graph/graph.ts";
import type { Tensors } from "./tensor.ts";

/** What a backend can do; core reads this and never the name. */
export interface Capabilities {
  /** Operators that the backend has kernels for, by ONNX name. Whatever else a graph holds is lowered or refused at compile time. */
  readonly operators: ReadonlySet<string>;
  /** Where state lives between runs. */
  readonly memory: "host" | "device";
  /** Whether two runs of one executable may overlap; when false the executable queues them itself. */
  readonly concurrent: boolean;
}

/** What `compile` takes besides the graph. */
export interface CompileOptions {
  /** First values of the graph's state; a name that is missing starts as zeros. */
  readonly state?: Tensors;
  /** State of the same name lives once, in this executable: an evaluation graph sees what a training graph wrote. */
  readonly shareStateWith?: Executable;
  readonly signal?: AbortSignal;
}

/** One kernel's turn in a profiled run. */
export interface KernelTiming {
  /** The graph's node that it computes, or part of one: a lowering's `node/...`, a backend's `node~...`. */
  readonly node: string;
  /** The operator or the backend's own name of the kernel. */
  readonly kernel: string;
  /** From the run's start. */
  readonly startMs: number;
  readonly durationMs: number;
}

/** A graph made ready for one device. State stays on the device between runs. */
export interface Executable {
  readonly graph: Graph;
  /**
   * Runs the graph once and applies its updates.
   *
   * @param feeds one tensor for every graph input; all symbolic dimensions must agree, and may differ from run to run
   * @returns the graph's outputs by public name, in memory that the caller owns
   * @throws TENSOR_INVALID for a missing, superfluous or misshaped feed, before anything ran; BACKEND_RUN_FAILED, BACKEND_LOST
   */
  run(feeds: Tensors): Promise<Tensors>;
  /**
   * Runs the graph once, as `run` does, and measures every kernel, in their order. Absent where the backend cannot tell its kernels apart.
   *
   * @throws as `run`
   */
  profile?(feeds: Tensors): Promise<readonly KernelTiming[]>;
  /** Copies of state values, all of them by default. */
  readState(names?: readonly string[]): Promise<Tensors>;
  /** Overwrites state values. @throws TENSOR_INVALID when a name, dtype or shape does not match */
  writeState(state: Tensors): Promise<void>;
  /** Frees the device memory; shared state is freed with its last user. Calling twice is harmless. */
  dispose(): Promise<void>;
}

/** An opened device. */
export interface Backend {
  readonly name: string;
  /** What it runs on, for people: "AVX-512 CPU, 2 threads", "llvmpipe (software)". */
  readonly device: string;
  readonly capabilities: Capabilities;
  /**
   * @throws BACKEND_OPERATOR_MISSING naming every operator that can be neither run nor lowered
   */
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>;
  dispose(): Promise<void>;
}

/** Whether a backend can work here. Absent is a value; broken is a throw. */
export type Availability =
  | { readonly available: true; readonly device: string; /** A software adapter that a CPU backend beats. */ readonly software: boolean }
  | { readonly available: false; readonly reason: string; /** What to do to have it. */ readonly install: string };

/** The door of one backend's folder: everything that is known without loading its runtime. */
export interface BackendDriver {
  readonly name: string;
  probe(): Promise<Availability>;
  /** Loads the runtime and opens the device. @throws BACKEND_UNAVAILABLE with what to install */
  open(): Promise<Backend>;
}
