import { columnsFromRows, EspalierError, type Predictor } from "../core/index.ts";
import { countPredictions } from "./rows.ts";

/**
 * Answers the bundle's own example, so that the first request finds everything loaded and compiled, and a model that cannot answer is
 * found before anybody asks.
 *
 * @throws BUNDLE_INVALID when the example is not answered with finite numbers; what the backend throws
 */
export async function warmUp(predictor: Predictor): Promise<void> {
  const { manifest } = predictor;
  const answer = await predictor.predict(columnsFromRows([manifest.example], manifest.inputs, { strict: false }));
  const numbers = answer.task === "regression" ? answer.values : answer.probabilities;
  if (countPredictions(answer) === 1 && numbers.every(Number.isFinite)) return;
  throw new EspalierError("BUNDLE_INVALID", `model "${manifest.name}" does not answer its own example with finite numbers; train it again`, {
    name: manifest.name,
  });
}
