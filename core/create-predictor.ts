import type { Backend } from "./backend.ts";
import type { Bundle } from "./bundle/bundle.ts";
import { sliceRows } from "./data/rows.ts";
import { EspalierError } from "./errors.ts";
import { concatPredictions } from "./evaluation/concat-predictions.ts";
import { decodePredictions } from "./features/decode.ts";
import { transformFeatures } from "./features/transform.ts";
import type { Predictions, Predictor } from "./predictor.ts";
import { rowsPerRun } from "./rows-per-run.ts";

/**
 * Opens a bundle on a backend: features, weights and graph behind one call.
 *
 * The backend stays the caller's: `dispose` frees the model's memory only.
 *
 * @throws BUNDLE_CORRUPT when the weights do not match the manifest; BACKEND_OPERATOR_MISSING, and what else compiling throws
 * @example const predictor = await createPredictor(await loadBundle("iris"), backend);
 */
export async function createPredictor(bundle: Bundle, backend: Backend): Promise<Predictor> {
  const { manifest, graph } = bundle;
  const executable = await backend.compile(graph, { state: await bundle.readTensors() });
  const maxRunRows = rowsPerRun(graph);
  let disposed: Promise<void> | undefined;
  return {
    manifest,
    backend: backend.name,
    async predict(rows, { signal } = {}) {
      if (disposed !== undefined) throw new EspalierError("ARGUMENT_INVALID", `predict: the predictor of "${manifest.name}" was disposed`);
      if (rows.length === 0) throw new EspalierError("DATA_EMPTY", "predict: there are no rows");
      const answers: Predictions[] = [];
      for (let start = 0; start < rows.length; start += maxRunRows) {
        if (signal?.aborted === true) throw new EspalierError("CANCELLED", "prediction was stopped", {}, { cause: signal.reason });
        const piece = rows.length <= maxRunRows ? rows : sliceRows(rows, start, Math.min(rows.length, start + maxRunRows));
        answers.push(decodePredictions(manifest.target, await executable.run(transformFeatures(manifest.features, piece))));
      }
      return concatPredictions(answers) as Predictions; // there is at least one piece
    },
    dispose: () => (disposed ??= executable.dispose()),
  };
}
