import { EspalierError, type ChosenBackend } from "../../core/index.ts";
import type { FromTrainer, ToTrainer, TrainingRequest } from "./messages.ts";
import { TrainingSession } from "./session.ts";

/** What the worker's side needs from where it runs. */
export interface ServeTrainingOptions {
  readonly choose: (name: string) => Promise<ChosenBackend>;
  /** Milliseconds. */
  readonly clock: () => number;
  /** ISO 8601. */
  readonly now: () => string;
  /** For the bundle: which browser this is. */
  readonly agent: string;
}

/** The worker's end of the line: `self` in a dedicated worker. */
export interface WorkerEnd {
  postMessage(message: FromTrainer, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<ToTrainer>) => void): void;
}

/** Steps are reported at most so often; a page draws no faster, and messages cost training time. */
const stepIntervalMs = 30;

/** Trains for a page, one model at a time. */
export function serveTraining(end: WorkerEnd, options: ServeTrainingOptions): void {
  const tell = (message: FromTrainer): void => end.postMessage(message, []);
  const pauses = new Pauses();
  let session: Promise<TrainingSession> | undefined;
  let stop = new AbortController();

  const start = async (request: TrainingRequest): Promise<void> => {
    stop.abort();
    stop = new AbortController();
    pauses.resume();
    const { signal } = stop;
    const previous = session;
    session = openSession(request, signal);
    await previous?.then((old) => old.dispose()).catch(() => undefined); // its failure was reported when it happened
    try {
      const opened = await session;
      const heldOut = await opened.train();
      if (stop.signal === signal) tell({ kind: "finished", heldOut, stopped: signal.aborted });
    } catch (error) {
      if (stop.signal === signal) tell({ kind: "failed", ...described(error) });
    }
  };

  const openSession = async (request: TrainingRequest, signal: AbortSignal): Promise<TrainingSession> => {
    const { backend, reason } = await options.choose(request.backend);
    tell({ kind: "backend", name: backend.name, device: backend.device, reason });
    let lastStep = -Infinity;
    return await TrainingSession.open(request, {
      backend,
      signal,
      clock: options.clock,
      now: options.now,
      environment: { agent: options.agent, backend: backend.name, device: backend.device },
      onHeldOut: (heldOut) => tell({ kind: "held-out", heldOut }),
      onEvent: async (event) => {
        const now = options.clock();
        const told = event.kind !== "step" || now - lastStep >= stepIntervalMs;
        if (told) tell({ kind: "event", event });
        if (told && event.kind === "step") lastStep = now;
        await pauses.passed(signal);
      },
    });
  };

  const answer = async (
    id: number,
    work: (opened: TrainingSession) => Promise<Extract<FromTrainer, { kind: "answer" }>["answer"]>,
  ): Promise<void> => {
    try {
      if (session === undefined) throw new EspalierError("MODEL_NOT_READY", "nothing was trained yet; start training first", {});
      tell({ kind: "answer", id, answer: await work(await session) });
    } catch (error) {
      tell({ kind: "refused", id, ...described(error) });
    }
  };

  end.addEventListener("message", ({ data }) => {
    switch (data.kind) {
      case "start":
        void start(data.request);
        return;
      case "pause":
        pauses.pause();
        return;
      case "resume":
        pauses.resume();
        return;
      case "stop":
        stop.abort();
        pauses.resume();
        return;
      case "predict":
        void answer(data.id, (opened) => opened.predict(data.rows));
        return;
      case "bundle":
        void answer(data.id, (opened) => opened.bundle());
        return;
      default:
        data satisfies never;
    }
  });
}

/** A gate that training passes after every event. */
class Pauses {
  #waiting: (() => void) | undefined;
  #gate: Promise<void> | undefined;

  pause(): void {
    this.#gate ??= new Promise((resolve) => (this.#waiting = resolve));
  }

  resume(): void {
    this.#waiting?.();
    this.#waiting = undefined;
    this.#gate = undefined;
  }

  async passed(signal: AbortSignal): Promise<void> {
    if (!signal.aborted) await this.#gate;
  }
}

function described(error: unknown): { readonly code: EspalierError["code"]; readonly message: string } {
  if (error instanceof EspalierError) return { code: error.code, message: error.message };
  return { code: "INTERNAL", message: error instanceof Error ? error.message : String(error) };
}
