import wasm from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import { openPredictor } from "../../browser/index.ts";
import { columnsFromRows } from "../../core/index.ts";

const wasmPaths = { "tfjs-backend-wasm.wasm": wasm, "tfjs-backend-wasm-simd.wasm": simd, "tfjs-backend-wasm-threaded-simd.wasm": simd };

/** Predicts the bundle's own example. */
async function predictExample(url: string): Promise<{ backend: string; probabilities: number[] }> {
  const predictor = await openPredictor(url, { wasmPaths });
  const { inputs, example } = predictor.manifest;
  const answers = await predictor.predict(columnsFromRows([example], inputs));
  await predictor.dispose();
  if (answers.task !== "classification") throw new Error("the digits are classes");
  return { backend: predictor.backend, probabilities: Array.from(answers.probabilities) };
}

/** The code of the error that opening ends in. */
async function failureOf(url: string): Promise<string> {
  try {
    await openPredictor(url, { wasmPaths });
    return "none";
  } catch (error) {
    return String((error as { code?: string }).code); // an EspalierError has a code
  }
}

Object.assign(globalThis, { predictExample, failureOf });
