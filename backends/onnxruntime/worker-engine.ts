import { Worker } from "node:worker_threads";
import { EspalierError, type KernelTiming, type Tensors } from "../../core/index.ts";
import type { Engine, EngineCompile, ExecutableId } from "./engine.ts";
import { SharedFeeds } from "./shared-feeds.ts";
import { besideThisFile } from "./thread-module.ts";
import { copyTensors, fromFailure, transferable, type Call, type Reply, type WorkerSettings } from "./worker-protocol.ts";

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Starts an engine in a thread of its own.
 *
 * @param options.worker the thread's module; by default `worker.ts` beside this file
 * @throws BACKEND_UNAVAILABLE when onnxruntime-node is not installed or does not load there
 */
export async function openWorkerEngine(
  settings: WorkerSettings,
  { worker = besideThisFile("worker") }: { readonly worker?: URL } = {},
): Promise<Engine> {
  const engine = new WorkerEngine(settings, worker);
  await engine.ready();
  return engine;
}

/** An engine in a thread of its own: the event loop stays free while it computes. The thread keeps the process alive only during calls. */
class WorkerEngine implements Engine {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #feeds = new Map<ExecutableId, SharedFeeds>();
  #calls = 0;
  #lost: EspalierError | undefined;
  #closed: Promise<void> | undefined;

  constructor(settings: WorkerSettings, worker: URL) {
    this.#worker = new Worker(worker, { workerData: settings, name: "espalier-onnxruntime" });
    this.#worker.unref();
    this.#worker.on("message", (reply: Reply) => this.#settle(reply));
    this.#worker.on("error", (error: Error) => this.#lose(`failed: ${error.message}`, error));
    this.#worker.on("exit", (code) => this.#lose(`ended with code ${code}`));
  }

  /** Settles when the thread has loaded its runtime: it answers call 0 unasked. */
  ready(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#pending.set(0, { resolve: () => resolve(), reject });
      this.#worker.ref();
    });
  }

  compile(request: EngineCompile): Promise<void> {
    const state = copyTensors(request.state); // handed over: a message would copy it twice
    return this.#call("compile", [{ ...request, state } satisfies EngineCompile], { memory: transferable(state) });
  }

  async run(id: ExecutableId, feeds: Tensors, batch: number): Promise<Tensors> {
    if (this.#pending.size === 0) return this.#call("run", [id, this.#shared(id).write(feeds), batch], { sharesFeeds: true });
    const copies = copyTensors(feeds); // what is shared is in use
    return this.#call("run", [id, copies, batch], { memory: transferable(copies) });
  }

  async profile(id: ExecutableId, feeds: Tensors, batch: number): Promise<readonly KernelTiming[]> {
    return this.#call("profile", [id, copyTensors(feeds), batch]);
  }

  async readState(id: ExecutableId, names: readonly string[]): Promise<Tensors> {
    return this.#call("readState", [id, names]);
  }

  writeState(id: ExecutableId, state: Tensors): Promise<void> {
    const copies = copyTensors(state);
    return this.#call("writeState", [id, copies], { memory: transferable(copies) });
  }

  release(id: ExecutableId): Promise<void> {
    this.#feeds.delete(id);
    return this.#call("release", [id]);
  }

  /** Ends the thread. Calling twice is harmless. */
  close(): Promise<void> {
    this.#closed ??= this.#lost === undefined ? this.#shutDown() : Promise.resolve();
    return this.#closed;
  }

  async #shutDown(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#worker.once("exit", () => resolve());
    });
    await this.#call<void>("close", []);
    this.#worker.ref();
    await ended;
  }

  #shared(id: ExecutableId): SharedFeeds {
    const feeds = this.#feeds.get(id) ?? new SharedFeeds();
    this.#feeds.set(id, feeds);
    return feeds;
  }

  #call<T>(
    method: Call["method"],
    args: readonly unknown[],
    { memory = [], sharesFeeds = false }: { readonly memory?: readonly ArrayBuffer[]; readonly sharesFeeds?: boolean } = {},
  ): Promise<T> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    this.#calls += 1;
    const call = this.#calls;
    return new Promise<T>((resolve, reject) => {
      this.#worker.postMessage({ call, method, args, sharesFeeds } satisfies Call, memory); // throws for what cannot be cloned, before anything is kept
      this.#pending.set(call, { resolve: resolve as Pending["resolve"], reject }); // the worker answers with the method's own result
      this.#worker.ref();
    });
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.call);
    this.#pending.delete(reply.call);
    if (this.#pending.size === 0) this.#worker.unref();
    if (reply.ok) pending?.resolve(reply.result);
    else pending?.reject(fromFailure(reply.failure));
  }

  #lose(what: string, cause?: Error): void {
    this.#lost ??= new EspalierError(
      "BACKEND_LOST",
      this.#closed === undefined
        ? `the onnxruntime worker thread ${what}; its state is gone: open the backend again and restore a checkpoint`
        : "the onnxruntime backend was disposed",
      {},
      { cause },
    );
    for (const { reject } of this.#pending.values()) reject(this.#lost);
    this.#pending.clear();
  }
}
