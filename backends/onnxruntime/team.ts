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

/** What every thread plans a model's kernels from: all must come to the same ones in the same order. */
export interface TeamSource {
  readonly graph: Graph;
  /** `graphKey`, where the plan may be kept. */
  readonly key: string | undefined;
  /** 0 for every size. */
  readonly batch: number;
  /** Whether its state is written into the model. */
  readonly isPacked: boolean;
  /** Whether its products are machine code. */
  readonly products: boolean;
}

/** A source with what the caller planned of it. */
export interface PlannedSource extends TeamSource {
  /** How many kernels it comes to. */
  readonly kernels: number;
}

/** What is posted to a thread. */
export type TeamMessage =
  | { readonly kind: "plan"; readonly source: TeamSource }
  | { readonly kind: "load"; readonly model: number; readonly source: PlannedSource; readonly place: KernelPlace }
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

/** Places in the control block: 32-bit numbers, then from `addressesAt` bytes on the addresses, and from `failureAt` on what the first thread that failed says. */
export const control = {
  calls: 0,
  done: 1,
  failed: 2,
  model: 3,
  call: 4,
  phase: 5,
  inputs: 6,
  outputs: 7,
  /** The last run that has ended; like `calls` it starts again below 0 after 2^31. */ ended: 8,
  /** Bytes of the failure's text. */ failureBytes: 9,
} as const;

/** A call that is no kernel's: an optimizer's tasks, whose input is where their table is. */
export const optimizerTasks = -1;

export const addressesAt = 64;

/** Inputs and outputs that one call can have. */
export const mostAddresses = 120;

export const failureAt: number = addressesAt + 8 * mostAddresses;

/** Longer texts of failures are cut. */
export const mostFailureBytes = 1024;

/** Times that a thread looks before it sleeps, about 0.02 ms: ONNX Runtime's own threads want the core between kernels. */
export const looks = 2000;

/** With 1 MiB LeNet took 5.1 ms in two threads, with 4 MiB 4.8, and larger networks no longer; waking takes about 0.05 ms. */
const worthHelp = 2 ** 22;

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
  /** From as many bytes on a call is worth waking the threads. */
  readonly leastBytes: number;
  readonly #settings: Omit<TeamSettings, "share">;
  readonly #control: Int32Array;
  readonly #addresses: BigInt64Array;
  #workers: Promise<readonly Worker[]> | undefined;
  /** The same, before they have answered. */
  #created: readonly Worker[] = [];
  #listening: readonly Worker[] = [];
  #models = 0;
  #runs = 0;
  /** What every call throws once a thread has died. */
  #lost: EspalierError | undefined;

  constructor(threads: number, { memory }: Arena, leastBytes: number = worthHelp) {
    this.threads = threads;
    this.leastBytes = leastBytes;
    const block = new SharedArrayBuffer(failureAt + mostFailureBytes);
    this.#settings = { control: block, memory };
    this.#control = new Int32Array(block);
    this.#addresses = new BigInt64Array(block, addressesAt, mostAddresses);
  }

  /** Starts the threads. Calling twice is harmless. */
  async start(): Promise<void> {
    this.#workers ??= this.#open();
    await this.#workers;
  }

  /** Has the threads that there are plan a model while the caller does, if it can be kept until it is loaded. */
  planAhead(source: TeamSource): void {
    if (source.key === undefined) return;
    for (const worker of this.#created) worker.postMessage({ kind: "plan", source } satisfies TeamMessage, []);
  }

  /**
   * Loads a model's kernels into every other thread.
   *
   * @param places one for each of them
   * @throws BACKEND_LOST when a thread does not start or has died
   */
  async load(source: PlannedSource, places: readonly KernelPlace[]): Promise<TeamModel> {
    await this.start();
    this.#models += 1;
    const model = this.#models;
    const workers = (await this.#workers) ?? [];
    const release = (): void => {
      for (const worker of workers) worker.postMessage({ kind: "release", model } satisfies TeamMessage, []);
    };
    try {
      await Promise.all(
        places.map((place, i) => {
          const worker = workers[i];
          if (worker === undefined) throw new EspalierError("INTERNAL", "a team has fewer threads than places", {});
          const loaded = answerOf(worker, model);
          worker.postMessage({ kind: "load", model, source, place } satisfies TeamMessage, []);
          return loaded;
        }),
      );
    } catch (error) {
      release();
      throw error;
    }
    return { run: (call, own) => this.#run(model, call, own), release };
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
    Atomics.store(this.#control, control.ended, this.#runs);
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
    this.#created = [];
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  /** Opens all threads or none. */
  async #open(): Promise<readonly Worker[]> {
    const workers = Array.from({ length: this.threads - 1 }, (_, i) => this.#create(i + 1));
    this.#created = workers;
    try {
      await Promise.all(workers.map((worker) => answerOf(worker, 0)));
    } catch (error) {
      this.#workers = undefined;
      this.#created = [];
      await Promise.all(workers.map((worker) => worker.terminate()));
      throw error;
    }
    return workers;
  }

  #create(index: number): Worker {
    const settings: TeamSettings = { ...this.#settings, share: { index, count: this.threads } };
    const worker = new Worker(besideThisFile("team-worker"), { workerData: settings, name: `espalier-kernels-${index}` });
    worker.on("error", (error: Error) => {
      this.#lost ??= lost(error); // without a listener it would end the process
    });
    return worker;
  }

  #run(model: number, { call, phase, inputs, outputs }: TeamCall, own: () => void): void {
    if (this.#lost !== undefined) throw this.#lost;
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
    if (Atomics.load(this.#control, control.failed) === 0) return;
    const bytes = new Uint8Array(this.#settings.control, failureAt, this.#control[control.failureBytes]);
    throw new EspalierError("INTERNAL", `a kernel failed in another thread: ${new TextDecoder().decode(bytes.slice())}`, { call });
  }

  #await(others: number): void {
    for (let look = 0; Atomics.load(this.#control, control.done) < others; look += 1) {
      if (look < looks) continue;
      const done = Atomics.load(this.#control, control.done);
      if (done < others && Atomics.wait(this.#control, control.done, done, patienceMs) === "timed-out") throw (this.#lost ??= lost());
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
      reject(lost(error));
    };
    worker.on("message", answer).on("error", fail);
    worker.ref();
  });
}

function lost(cause?: Error): EspalierError {
  const what = cause === undefined ? "no longer answers" : `failed: ${cause.message}`;
  return new EspalierError(
    "BACKEND_LOST",
    `a thread of the onnxruntime backend ${what}; open the backend again and restore a checkpoint`,
    {},
    { cause },
  );
}
