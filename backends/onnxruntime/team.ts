import { Worker } from "node:worker_threads";
import { EspalierError, type Graph } from "../../core/index.ts";
import { besideThisFile } from "./thread-module.ts";
import type { Arena } from "./arena.ts";
import type { KernelPlace } from "./kernels/bind.ts";
import type { Share } from "./kernels/host-kernel.ts";

/** One phase of one kernel. */
export interface TeamCall {
  /** Its number among the model's kernels. */
  readonly call: number;
  readonly phase: number;
  readonly inputs: readonly bigint[];
  readonly outputs: readonly bigint[];
}

/** A model's kernels, loaded into every thread of a team. */
export interface TeamModel {
  /** Every thread does its share of a phase, this one by `own`; returns when all have ended. Only while the team listens. */
  run(call: TeamCall, own: () => void): void;
  release(): void;
}

/** What is posted to a thread. */
export type TeamMessage =
  | { readonly kind: "load"; readonly model: number; readonly graph: Graph; readonly place: KernelPlace }
  | { readonly kind: "listen"; readonly run: number; /** The number of calls so far. */ readonly calls: number }
  | { readonly kind: "release"; readonly model: number };

/** What a thread answers; model 0 is the thread itself. */
export interface TeamAnswer {
  readonly model: number;
  readonly failure?: string;
}

/** What a thread starts with. */
export interface TeamSettings {
  readonly control: SharedArrayBuffer;
  readonly memory: WebAssembly.Memory;
  readonly share: Share;
}

/** Places in the control block: 32-bit numbers, then from `addressesAt` bytes on the addresses. */
export const control = {
  calls: 0,
  done: 1,
  failed: 2,
  model: 3,
  call: 4,
  phase: 5,
  inputs: 6,
  outputs: 7,
  /** The number of runs that have ended. */ ended: 8,
} as const;

/** Calls that are no kernel's: the end of listening, and an optimizer's tasks, whose input is where their table is. */
export const endOfRun = -1;
export const optimizerTasks = -2;

export const addressesAt = 64;

/** Inputs and outputs that one call can have. */
export const mostAddresses = 120;

/** Times that a thread looks before it sleeps: about 0.02 ms. */
const looks = 2000;

/** A thread that has not answered for so long has died. */
const patienceMs = 60_000;

/**
 * Threads that do a share of each large kernel's work while ONNX Runtime's thread waits for it.
 *
 * Each of them compiles the same kernels from the same graph. Calls go through shared memory: a message takes longer than many a kernel.
 */
export class KernelTeam {
  /** Threads, the caller's among them. */
  readonly threads: number;
  readonly #settings: Omit<TeamSettings, "share">;
  readonly #control: Int32Array;
  readonly #addresses: BigInt64Array;
  #workers: Promise<readonly Worker[]> | undefined;
  #listening: readonly Worker[] = [];
  #models = 0;
  #runs = 0;

  constructor(threads: number, { memory }: Arena) {
    this.threads = threads;
    const block = new SharedArrayBuffer(addressesAt + 8 * mostAddresses);
    this.#settings = { control: block, memory };
    this.#control = new Int32Array(block);
    this.#addresses = new BigInt64Array(block, addressesAt);
  }

  /** Starts the threads. Calling twice is harmless. */
  async start(): Promise<void> {
    this.#workers ??= Promise.all(Array.from({ length: this.threads - 1 }, (_, i) => this.#open(i + 1)));
    await this.#workers;
  }

  /** Loads a model's kernels into every other thread. @param places one for each of them */
  async load(graph: Graph, places: readonly KernelPlace[]): Promise<TeamModel> {
    await this.start();
    this.#models += 1;
    const model = this.#models;
    const workers = (await this.#workers) ?? [];
    await Promise.all(
      places.map((place, i) => {
        const worker = workers[i];
        if (worker === undefined) throw new EspalierError("INTERNAL", "a team has fewer threads than places", {});
        const loaded = answerOf(worker, model);
        worker.postMessage({ kind: "load", model, graph, place } satisfies TeamMessage, []);
        return loaded;
      }),
    );
    return {
      run: (call, own) => this.#run(model, call, own),
      release: () => {
        for (const worker of workers) worker.postMessage({ kind: "release", model } satisfies TeamMessage, []);
      },
    };
  }

  /** From now on the threads listen for calls, which takes them some processor time. */
  async listen(): Promise<void> {
    this.#listening = (await this.#workers) ?? [];
    this.#runs += 1;
    const message: TeamMessage = { kind: "listen", run: this.#runs, calls: Atomics.load(this.#control, control.calls) };
    for (const worker of this.#listening) worker.postMessage(message, []);
  }

  /** Ends listening. */
  rest(): void {
    this.#listening = [];
    this.#control[control.call] = endOfRun;
    this.#control[control.ended] = this.#runs;
    this.#announce();
  }

  /** Every thread does its share of an optimizer's tasks, this one by `own`. @param table where they are written in the arena */
  optimize(table: number, own: () => void): void {
    this.#run(0, { call: optimizerTasks, phase: 0, inputs: [BigInt(table)], outputs: [] }, own);
  }

  /** Whether calls are heard. */
  get isListening(): boolean {
    return this.#listening.length > 0;
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    const workers = (await this.#workers) ?? [];
    this.#workers = undefined;
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  async #open(index: number): Promise<Worker> {
    const settings: TeamSettings = { ...this.#settings, share: { index, count: this.threads } };
    const worker = new Worker(besideThisFile("team-worker"), { workerData: settings, name: `espalier-kernels-${index}` });
    await answerOf(worker, 0);
    return worker;
  }

  #run(model: number, { call, phase, inputs, outputs }: TeamCall, own: () => void): void {
    if (inputs.length + outputs.length > mostAddresses) throw new EspalierError("INTERNAL", "a kernel has too many inputs and outputs", { call });
    const others = this.#listening.length;
    this.#control.set([0, 0, model, call, phase, inputs.length, outputs.length], control.done);
    this.#addresses.set([...inputs, ...outputs]);
    this.#announce();
    try {
      own();
    } finally {
      this.#await(others);
    }
    if (Atomics.load(this.#control, control.failed) > 0) throw new EspalierError("INTERNAL", "a kernel failed in another thread", { call });
  }

  #await(others: number): void {
    for (let look = 0; Atomics.load(this.#control, control.done) < others; look += 1) {
      if (look < looks) continue;
      const done = Atomics.load(this.#control, control.done);
      if (done < others && Atomics.wait(this.#control, control.done, done, patienceMs) === "timed-out") throw lost();
    }
  }

  #announce(): void {
    Atomics.add(this.#control, control.calls, 1);
    Atomics.notify(this.#control, control.calls);
  }
}

/** Settles when a thread answers for a model. The thread keeps the process alive until then. */
function answerOf(worker: Worker, model: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      worker.off("message", answer).off("error", fail);
      worker.unref();
    };
    const answer = ({ model: answered, failure }: TeamAnswer): void => {
      if (answered !== model) return;
      settle();
      if (failure === undefined) resolve();
      else reject(new EspalierError("INTERNAL", `kernels did not load in another thread: ${failure}`, {}));
    };
    const fail = (error: Error): void => {
      settle();
      reject(error);
    };
    worker.on("message", answer).on("error", fail);
    worker.ref();
  });
}

function lost(): EspalierError {
  return new EspalierError(
    "BACKEND_LOST",
    "a thread of the onnxruntime backend no longer answers; open the backend again and restore a checkpoint",
    {},
  );
}
