import { join } from "node:path";
import { EspalierError, type EpochRecord, type RunArtifact, type RunPoint, type RunRecord, type TableEvent } from "../../core/index.ts";
import { fileRuns, newRunId } from "./file-runs.ts";
import { lockRun, type RunLock } from "./run-lock.ts";

/** Writes one run's record while it lasts. */
export interface RunRecorder {
  readonly id: string;
  /** Where the run may keep files. */
  readonly folder: string;
  record(): RunRecord;
  /** Notes what happens. @throws ARGUMENT_INVALID when another process trains this run */
  follow(event: TableEvent): Promise<void>;
  finish(result: Pick<RunRecord, "model" | "metrics" | "artifacts" | "diverged">): Promise<void>;
  fail(error: unknown, artifacts: readonly RunArtifact[]): Promise<void>;
}

/** Points that wait for the next write: an epoch of a small table takes milliseconds. */
const maxWaiting = 100;

/** What a new run's record starts with. */
type RunStart = Pick<RunRecord, "parameters" | "data" | "version" | "environment" | "logs">;

/**
 * Starts a run, or goes on with one. The first write happens when training begins, so that a call that was refused leaves nothing behind.
 *
 * @param resumed the run that is gone on with: it keeps its id, its settings and its history
 */
export function recordRun(folder: string, start: RunStart, resumed?: RunRecord): RunRecorder {
  const store = fileRuns(folder);
  const startedMs = performance.now();
  let record = resumed === undefined ? newRecord(start) : resumedRecord(resumed, start);
  const { id } = record;
  const secondsBefore = record.seconds ?? 0;
  let lock: RunLock | undefined;
  let waiting: RunPoint[] = [];
  const logged = new Set<string>();
  const log = (series: string, epoch: EpochRecord): void => {
    logged.add(`${series} ${epoch.epoch}`);
    waiting.push(pointOf(series, epoch));
  };
  const flush = async (): Promise<void> => {
    await store.log(id, waiting);
    waiting = [];
  };
  const end = async (changes: Partial<RunRecord>): Promise<void> => {
    record = { ...record, ...changes, seconds: Number((secondsBefore + (performance.now() - startedMs) / 1000).toFixed(3)) };
    await store.save(record);
    await flush();
    await lock?.release();
  };
  return {
    id,
    folder: join(folder, id),
    record: () => record,
    async follow(event) {
      if (event.kind === "prepared") {
        lock = await lockRun(join(folder, id));
        await store.save(record);
      }
      // Epochs before a break, which were not written when the process was killed, are in the model's history.
      if (event.kind === "trained")
        for (const epoch of event.candidate.history) if (!logged.has(`${event.candidate.name} ${epoch.epoch}`)) log(event.candidate.name, epoch);
      if (event.kind === "trained" || event.kind === "diverged") await flush();
      if (event.kind === "training" && event.event.kind === "start" && event.event.batchSize !== undefined) {
        record = { ...record, batchSizes: { ...record.batchSizes, [event.model]: event.event.batchSize.rows } };
        await store.save(record);
      }
      if (event.kind !== "training" || event.event.kind !== "epoch") return;
      log(event.model, event.event.record);
      if (waiting.length >= maxWaiting) await flush();
    },
    finish: (result) => end({ status: "finished", ...result }),
    async fail(error, artifacts) {
      const code = error instanceof EspalierError ? error.code : "INTERNAL";
      const message = error instanceof Error ? error.message : String(error);
      // A failure before training began, like a constant target, is no run.
      if (lock !== undefined) await end({ status: code === "CANCELLED" ? "cancelled" : "failed", artifacts, error: { code, message } });
    },
  };
}

function newRecord(start: RunStart): RunRecord {
  return { id: newRunId(), status: "running", startedAt: new Date().toISOString(), ...start, artifacts: [] };
}

function resumedRecord(before: RunRecord, { version, environment }: RunStart): RunRecord {
  const { error: _error, ...kept } = before; // what ended it before is over
  return { ...kept, version, environment, status: "running", resumedAt: [...(before.resumedAt ?? []), new Date().toISOString()] };
}

function pointOf(series: string, { epoch, step, loss, learningRate, validation }: EpochRecord): RunPoint {
  const validated = Object.entries(validation ?? {}).map(([name, value]) => [`validation.${name}`, value]);
  return { series, epoch, step, values: { loss, learningRate, ...Object.fromEntries(validated) } };
}
