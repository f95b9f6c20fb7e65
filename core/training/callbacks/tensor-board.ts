import { encodeEventRecord, histogramOf, type EventRecord } from "../../tracking/event-record.ts";
import { isFloat } from "../../operators/shapes.ts";
import { toNumbers } from "../../tensor.ts";
import { recordNumbers } from "../monitor.ts";
import type { Callback, CallbackRun } from "./callback.ts";

/** Where log bytes go: a file that is opened when a run starts. */
export interface ByteSink {
  /** Starts an empty file. */
  open(): Promise<void>;
  append(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** What is logged. */
export interface TensorBoardOptions {
  readonly sink: ByteSink;
  /** Seconds since 1970. */
  readonly now: () => number;
  /** Steps between two points of the batch's loss, rate and speed; 0 for none. Default 20. */
  readonly everySteps?: number;
  /** Whether the distribution of each parameter is logged at every epoch's end. Default false. */
  readonly histograms?: boolean;
}

/**
 * Writes a run as a TensorBoard event file: `batch/loss` and `batch/learningRate` by step, an epoch's numbers (`epoch/loss`, `epoch/validation.accuracy`) by the
 * step that ended it. A resumed run, and one that is begun anew in the same place, starts another file; TensorBoard then drops what earlier files say of the
 * steps that are done again.
 *
 * @see https://www.tensorflow.org/tensorboard
 */
export function tensorBoard({ sink, now, everySteps = 20, histograms = false }: TensorBoardOptions): Callback {
  const write = (step: number, content: Kind): Promise<void> => sink.append(encodeEventRecord({ ...content, wallTimeSeconds: now(), step }));
  return {
    name: "tensorboard",
    async onStart({ step }) {
      await sink.open();
      await write(0, { kind: "version" });
      await write(step + 1, { kind: "start" });
    },
    async onStep({ step, loss, losses = {}, learningRate, rowsPerSecond }) {
      if (everySteps === 0 || step % everySteps !== 0) return;
      const parts = Object.entries(losses).map(([name, value]) => [`batch/loss/${name}`, value]);
      const speed = rowsPerSecond !== undefined && { "batch/rowsPerSecond": rowsPerSecond };
      const values = { "batch/loss": loss, ...Object.fromEntries(parts), "batch/learningRate": learningRate, ...speed };
      await write(step, { kind: "scalars", values });
    },
    async onEpoch({ record }, run) {
      const numbers = Object.entries(recordNumbers(record)).map(([name, value]) => [`epoch/${name}`, value]);
      await write(record.step, { kind: "scalars", values: Object.fromEntries(numbers) });
      if (histograms) await write(record.step, { kind: "histograms", values: await weightHistograms(run) });
    },
    onEnd: () => sink.close(),
  };
}

type Kind = EventRecord extends infer R ? (R extends EventRecord ? Omit<R, "wallTimeSeconds" | "step"> : never) : never;

async function weightHistograms(run: CallbackRun): Promise<Readonly<Record<string, ReturnType<typeof histogramOf>>>> {
  const weights = Object.entries(await run.readWeights()).filter(([, { dtype }]) => isFloat(dtype));
  return Object.fromEntries(weights.map(([name, value]) => [`weights/${name}`, histogramOf(toNumbers(value))]));
}
