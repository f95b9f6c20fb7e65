import { join } from "node:path";
import { EspalierError, type RunArtifact, type RunPoint, type RunRecord, type TableEvent } from "../../core/index.ts";
import { fileRuns, newRunId } from "./file-runs.ts";

/** Writes one run's record while it lasts. */
export interface RunRecorder {
  readonly id: string;
  /** Where the run may keep files. */
  readonly folder: string;
  record(): RunRecord;
  /** Notes what happens. */
  follow(event: TableEvent): Promise<void>;
  finish(result: Pick<RunRecord, "model" | "metrics" | "artifacts" | "diverged">): Promise<void>;
  fail(error: unknown, artifacts: readonly RunArtifact[]): Promise<void>;
}

/** Points that wait for the next write: an epoch of a small table takes milliseconds. */
const maxWaiting = 100;

/** Starts a run. The first write happens when training begins, so that a call that was refused leaves nothing behind. */
export function recordRun(folder: string, start: Pick<RunRecord, "parameters" | "data" | "version" | "environment">): RunRecorder {
  const store = fileRuns(folder);
  const startedMs = performance.now();
  const id = newRunId();
  let record: RunRecord = { id, status: "running", startedAt: new Date().toISOString(), ...start, artifacts: [] };
  let waiting: RunPoint[] = [];
  const flush = async (): Promise<void> => {
    await store.log(id, waiting);
    waiting = [];
  };
  const end = async (changes: Partial<RunRecord>): Promise<void> => {
    record = { ...record, ...changes, seconds: Number(((performance.now() - startedMs) / 1000).toFixed(3)) };
    await store.save(record);
    await flush();
  };
  return {
    id,
    folder: join(folder, id),
    record: () => record,
    async follow(event) {
      if (event.kind === "prepared") await store.save(record);
      if (event.kind === "trained" || event.kind === "diverged") await flush();
      if (event.kind === "training" && event.event.kind === "start" && event.event.batchSize !== undefined) {
        record = { ...record, batchSizes: { ...record.batchSizes, [event.model]: event.event.batchSize.rows } };
        await store.save(record);
      }
      if (event.kind !== "training" || event.event.kind !== "epoch") return;
      const { epoch, step, loss, learningRate, validation } = event.event.record;
      const validated = Object.entries(validation ?? {}).map(([name, value]) => [`validation.${name}`, value]);
      waiting.push({ series: event.model, epoch, step, values: { loss, learningRate, ...Object.fromEntries(validated) } });
      if (waiting.length >= maxWaiting) await flush();
    },
    finish: (result) => end({ status: "finished", ...result }),
    async fail(error, artifacts) {
      const code = error instanceof EspalierError ? error.code : "INTERNAL";
      const message = error instanceof Error ? error.message : String(error);
      // A failure before training began, like a constant target, is no run.
      if (artifacts.length > 0) await end({ status: code === "CANCELLED" ? "cancelled" : "failed", artifacts, error: { code, message } });
    },
  };
}
