import type { RunRecord } from "../core/index.ts";
import type { TrainFilesOptions, TrainingParameters } from "./train-files.ts";

/** What a run was called with: enough to call it again on the same bytes and the same backend. */
export type RecordedCall = Pick<TrainFilesOptions, "files" | "reading" | "parameters" | "name" | "fingerprint"> & { readonly path: string };

/** The call that a record stands for. */
export function recordedCall({ parameters, data, environment }: RunRecord): RecordedCall {
  const { name, path, ...settings } = parameters as unknown as TrainingParameters & { readonly name: string; readonly path: string }; // as trainFiles wrote them
  // "auto" may choose another one today: the record says which one it was.
  const backend = settings.backend === "auto" ? (environment["backend"]?.split(" ")[0] ?? "auto") : settings.backend;
  return { files: data.files, reading: data.options, parameters: { ...settings, backend }, name: () => name, path, fingerprint: data.fingerprint };
}
