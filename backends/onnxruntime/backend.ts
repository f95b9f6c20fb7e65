import { availableParallelism, cpus } from "node:os";
import { EspalierError, type Backend, type CompileOptions, type Executable, type Graph } from "../../core/index.ts";
import { supportedOperators } from "./capabilities.ts";
import type { Engine } from "./engine.ts";
import { OnnxRuntimeExecutable } from "./executable.ts";
import { HostEngine } from "./host-engine.ts";
import { openHost } from "./open-host.ts";
import { openWorkerEngine } from "./worker-engine.ts";

/** How the backend runs. */
export interface OnnxRuntimeOptions {
  /**
   * "worker" (the default) computes in a thread of its own and keeps the event loop free; "inline" computes in the calling thread, which
   * saves about 0.1 ms a run and blocks meanwhile: for servers of small models that run in threads already.
   */
  readonly thread?: "worker" | "inline";
  /** Threads inside one operator; by default one for each core that the process may use. */
  readonly threads?: number;
  /**
   * "auto" (the default) calls ONNX Runtime's C API where the optional package koffi is installed, which saves the copies of outputs and makes optimizers
   * WebAssembly; "onnxruntime-node" never does.
   */
  readonly binding?: "auto" | "onnxruntime-node";
  /** The least bytes that one of our own kernels reads and writes for its work to be shared among the threads, of an optimizer those of its parameters; by default 4 MiB. */
  readonly leastSharedBytes?: number;
  /**
   * Whether a training step's products of matrices are machine code, which is written while it compiles: by default where the processor has AVX-512, on
   * Linux, and koffi is installed. It saves an eighth of an encoder's step.
   */
  readonly machineCode?: boolean;
}

/**
 * Opens onnxruntime-node: graphs are compiled to ONNX models, whole training steps included.
 *
 * @throws BACKEND_UNAVAILABLE when onnxruntime-node is not installed or does not load; ARGUMENT_INVALID
 */
export async function openOnnxRuntime({
  thread = "worker",
  threads = availableParallelism(),
  binding = "auto",
  leastSharedBytes,
  machineCode = true,
}: OnnxRuntimeOptions = {}): Promise<Backend> {
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new EspalierError("ARGUMENT_INVALID", `onnxruntime: threads must be a whole number from 1, not ${threads}`, { threads });
  }
  if (leastSharedBytes !== undefined && !(leastSharedBytes >= 0)) {
    throw new EspalierError("ARGUMENT_INVALID", `onnxruntime: leastSharedBytes must be a number from 0, not ${leastSharedBytes}`, {
      leastSharedBytes,
    });
  }
  const settings = { threads, binding, machineCode, ...(leastSharedBytes !== undefined && { leastSharedBytes }) };
  const engine: Engine = thread === "inline" ? new HostEngine(await openHost(settings)) : await openWorkerEngine(settings);
  return new OnnxRuntimeBackend(engine, threads);
}

/** The processor as people name it. */
export function describeProcessor(threads: number): string {
  const model = cpus()[0]?.model.trim() ?? process.arch;
  return `${model}, ${threads} thread${threads === 1 ? "" : "s"}`;
}

class OnnxRuntimeBackend implements Backend {
  readonly name = "onnxruntime";
  readonly device: string;
  readonly capabilities: Backend["capabilities"] = { operators: supportedOperators, memory: "host", concurrent: false };
  readonly #engine: Engine;
  #count = 0;
  #disposed = false;

  constructor(engine: Engine, threads: number) {
    this.#engine = engine;
    this.device = describeProcessor(threads);
  }

  async compile(graph: Graph, { state = {}, shareStateWith, signal }: CompileOptions = {}): Promise<Executable> {
    if (this.#disposed) throw new EspalierError("ARGUMENT_INVALID", "compile: the onnxruntime backend was disposed", {});
    refuseCancelled(signal);
    if (shareStateWith !== undefined && !(shareStateWith instanceof OnnxRuntimeExecutable && shareStateWith.engine === this.#engine)) {
      throw new EspalierError(
        "ARGUMENT_INVALID",
        `compile "${graph.name}": shareStateWith belongs to another backend; state is shared within one`,
        {},
      );
    }
    this.#count += 1;
    const id = this.#count;
    const compiled = this.#engine.compile({ id, graph, state, ...(shareStateWith === undefined ? {} : { shareWith: shareStateWith.id }) });
    const executable = new OnnxRuntimeExecutable(graph, id, this.#engine);
    try {
      await untilAborted(compiled, signal);
    } catch (error) {
      // A compilation that was given up ends in its own time and is freed then; one that failed has nothing to free.
      compiled.then(() => executable.dispose()).catch(() => undefined);
      throw error;
    }
    return executable;
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#engine.close();
  }
}

function refuseCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

async function untilAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(cancelled(signal));
  });
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function cancelled(signal: AbortSignal): EspalierError {
  return new EspalierError("CANCELLED", "compiling was cancelled", {}, { cause: signal.reason });
}
