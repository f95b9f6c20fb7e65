import type { Graph, KernelTiming, Tensors } from "../../core/index.ts";

/** Names one executable inside an engine; the caller counts them. */
export type ExecutableId = number;

/** What `Engine.compile` takes. */
export interface EngineCompile {
  readonly id: ExecutableId;
  readonly graph: Graph;
  /** First values; missing names start as zeros. */
  readonly state: Tensors;
  /** Whose state of the same name is used. */
  readonly shareWith?: ExecutableId;
}

/**
 * Sessions and state behind plain messages: the same calls reach an engine in this thread or in a worker.
 *
 * Every method's arguments and results are plain data that `postMessage` takes. Calls are answered in their order.
 */
export interface Engine {
  compile(request: EngineCompile): Promise<void>;
  /** @param feeds checked against the graph already @param batch the batch size that they agree on */
  run(id: ExecutableId, feeds: Tensors, batch: number): Promise<Tensors>;
  /** Runs once and measures every kernel. */
  profile(id: ExecutableId, feeds: Tensors, batch: number): Promise<readonly KernelTiming[]>;
  readState(id: ExecutableId, names: readonly string[]): Promise<Tensors>;
  writeState(id: ExecutableId, state: Tensors): Promise<void>;
  release(id: ExecutableId): Promise<void>;
  close(): Promise<void>;
}
