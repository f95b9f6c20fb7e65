import { join } from "node:path";
import { EspalierError, type RunRecord } from "../core/index.ts";
import { recordedCall } from "./recorded-call.ts";
import { fileRuns } from "./tracking/file-runs.ts";
import { trainFiles, type TrainedBundle, type TrainFilesOptions } from "./train-files.ts";

/** Where the runs are, and who hears how it goes. */
export type RepeatOptions = Pick<TrainFilesOptions, "runs" | "signal" | "onNote" | "onBackend" | "onEvent">;

/** A run, done again. */
export interface Reproduction {
  readonly record: RunRecord;
  readonly again: TrainedBundle;
  /** Whether graph, features and weights are the same, bit for bit. */
  readonly identical: boolean;
}

/**
 * Trains again with a recorded run's settings, on the same files and the same backend. The bundle goes into the run's own folder, not over the first one.
 *
 * @param id a run's id, or the start of one
 * @throws RUN_NOT_FOUND; ARGUMENT_INVALID when the run did not finish or the files have changed; what `trainFiles` throws
 */
export async function reproduceRun(id: string, options: RepeatOptions): Promise<Reproduction> {
  const record = await fileRuns(options.runs).get(id);
  const first = record.artifacts.find(({ kind }) => kind === "bundle");
  if (record.status !== "finished" || first === undefined) {
    throw new EspalierError("ARGUMENT_INVALID", `run ${record.id} is ${record.status}; only a finished run can be repeated`, { run: record.id });
  }
  const again = await trainFiles({ ...options, ...recordedCall(record), path: join(options.runs, record.id, "reproduced") });
  return { record, again, identical: again.bundle.manifest.version === first.version };
}

/**
 * Goes on with a run that was stopped, killed or failed, from its last checkpoints and in its own record and logs; on the same backend the model is bit for bit
 * that of a run without the break.
 *
 * @param id a run's id, or the start of one
 * @throws RUN_NOT_FOUND; ARGUMENT_INVALID when the run finished, another process is training it, or the files have changed; what `trainFiles` throws
 */
export async function resumeRun(id: string, options: RepeatOptions): Promise<TrainedBundle> {
  const record = await fileRuns(options.runs).get(id);
  if (record.status === "finished")
    throw new EspalierError("ARGUMENT_INVALID", `run ${record.id} is finished; there is nothing to go on with`, { run: record.id });
  return trainFiles({ ...options, ...recordedCall(record), ...(record.logs !== undefined && { logs: record.logs }), resumes: record });
}
