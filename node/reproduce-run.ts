import { join } from "node:path";
import { EspalierError, type RunRecord } from "../core/index.ts";
import { fileRuns } from "./tracking/file-runs.ts";
import { trainFiles, type TrainedBundle, type TrainFilesOptions, type TrainingParameters } from "./train-files.ts";

/** A run, done again. */
export interface Reproduction {
  readonly record: RunRecord;
  readonly again: TrainedBundle;
  /** Whether graph, features and weights are the same, bit for bit. */
  readonly identical: boolean;
}

/**
 * Trains again with a recorded run's settings, on the same files and the same backend. The bundle goes into the new run's own place, not over the first one.
 *
 * @param id a run's id, or the start of one
 * @throws RUN_NOT_FOUND; ARGUMENT_INVALID when the run did not finish or the files have changed; what `trainFiles` throws
 */
export async function reproduceRun(
  id: string,
  options: Pick<TrainFilesOptions, "runs" | "signal" | "onNote" | "onBackend" | "onEvent">,
): Promise<Reproduction> {
  const record = await fileRuns(options.runs).get(id);
  const first = record.artifacts.find(({ kind }) => kind === "bundle");
  if (record.status !== "finished" || first === undefined) {
    throw new EspalierError("ARGUMENT_INVALID", `run ${record.id} is ${record.status}; only a finished run can be repeated`, { run: record.id });
  }
  const { name, path: _, ...settings } = record.parameters as unknown as TrainingParameters & { readonly name: string; readonly path: string }; // as trainFiles wrote them
  const backend = settings.backend === "auto" ? backendOf(record) : settings.backend;
  const again = await trainFiles({
    ...options,
    files: record.data.files,
    reading: record.data.options,
    parameters: { ...settings, backend },
    name: () => name,
    path: join(options.runs, record.id, "reproduced"),
    fingerprint: record.data.fingerprint,
  });
  return { record, again, identical: again.bundle.manifest.version === first.version };
}

/** "auto" may choose another one today: the record says which one it was. */
function backendOf({ environment }: RunRecord): string {
  return environment["backend"]?.split(" ")[0] ?? "auto";
}
