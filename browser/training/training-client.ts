import { EspalierError, type Columns } from "../../core/index.ts";
import type { Answers, FromTrainer, ToTrainer, TrainingRequest } from "./messages.ts";

/** News of a training; calls that were answered are not among them. */
export type TrainingNews = Exclude<FromTrainer, { kind: "answer" | "refused" }>;

/** The page's end of the line: a `Worker`. */
export interface TrainerEnd {
  postMessage(message: ToTrainer, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<FromTrainer>) => void): void;
  addEventListener(type: "error", listener: (event: ErrorEvent) => void): void;
  terminate(): void;
}

/** Training in a worker, as a page sees it: the page stays responsive whatever the worker does. */
export interface TrainingClient {
  /** Starts a training; one that is under way is dropped. */
  start(request: TrainingRequest): void;
  pause(): void;
  resume(): void;
  /** Ends training after the step under way and keeps the best model. */
  stop(): void;
  /** Answers of the model as it is: of the last epoch that ended. @throws MODEL_NOT_READY before training started */
  predict(rows: Columns): Promise<Answers>;
  /** The model as it is, as a bundle in its one-file form. @throws MODEL_NOT_READY */
  bundle(): Promise<Uint8Array<ArrayBuffer>>;
  close(): void;
}

/**
 * Connects to a training worker.
 *
 * @example
 * const client = connectTraining(new Worker(new URL("./trainer.worker.ts", import.meta.url), { type: "module" }), (news) => console.log(news));
 * client.start({ name: "digits", ... });
 */
export function connectTraining(worker: TrainerEnd, onNews: (news: TrainingNews) => void): TrainingClient {
  const waiting = new Map<number, { resolve: (answer: Reply) => void; reject: (error: Error) => void }>();
  let calls = 0;
  const tell = (message: ToTrainer): void => worker.postMessage(message, []);
  worker.addEventListener("message", ({ data }) => {
    if (data.kind === "answer") settle(data.id)?.resolve(data.answer);
    else if (data.kind === "refused") settle(data.id)?.reject(new EspalierError(data.code, data.message));
    else onNews(data);
  });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    const message = `the training worker failed: ${event.message || "its script did not load"}`;
    for (const id of waiting.keys()) settle(id)?.reject(new EspalierError("INTERNAL", message));
    onNews({ kind: "failed", code: "INTERNAL", message });
  });
  const settle = (id: number): { resolve: (answer: Reply) => void; reject: (error: Error) => void } | undefined => {
    const call = waiting.get(id);
    waiting.delete(id);
    return call;
  };
  const call = (message: (id: number) => ToTrainer): Promise<Reply> =>
    new Promise((resolve, reject) => {
      calls += 1;
      waiting.set(calls, { resolve, reject });
      tell(message(calls));
    });
  return {
    start: (request) => tell({ kind: "start", request }),
    pause: () => tell({ kind: "pause" }),
    resume: () => tell({ kind: "resume" }),
    stop: () => tell({ kind: "stop" }),
    predict: async (rows) => (await call((id) => ({ kind: "predict", id, rows }))) as Answers, // the answer to predict
    bundle: async () => (await call((id) => ({ kind: "bundle", id }))) as Uint8Array<ArrayBuffer>, // the answer to bundle
    close: () => worker.terminate(),
  };
}

type Reply = Extract<FromTrainer, { kind: "answer" }>["answer"];
