import { onnxRuntimeDriver, openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import { createPredictor, type Backend, type Bundle, type Predictor } from "../../core/index.ts";
import { warmUp } from "../warm-up.ts";

/**
 * A run in the calling thread saves starting a thread and about 0.1 ms a request, but nothing else is answered while it computes. A
 * model whose single row takes longer than this gets a thread of its own; shorter runs are no longer than reading a request.
 */
const inlineLimitMs = 2;

/**
 * Opens a bundle for serving on Node: on onnxruntime in this thread or in one of its own, by the time that the model's example takes; on
 * any other backend as it comes.
 *
 * @throws what opening the backend, compiling and the first predictions throw
 */
export async function openPredictor(bundle: Bundle, { backend }: { readonly backend: string }): Promise<Predictor> {
  const wanted = backend === "auto" || backend === onnxRuntimeDriver.name;
  if (!wanted || !(await onnxRuntimeDriver.probe()).available) {
    const { openNodePredictor } = await import("../../node/open-predictor.ts"); // the other backends cost 8 ms of a cold start
    return await openNodePredictor(bundle, { backend });
  }
  const inline = await openOwned(bundle, await openOnnxRuntime({ thread: "inline" }));
  try {
    if ((await shortestRunMs(inline)) <= inlineLimitMs) return inline;
  } catch (error) {
    await inline.dispose();
    throw error;
  }
  await inline.dispose();
  return await openOwned(bundle, await openOnnxRuntime({ thread: "worker" }));
}

/** A predictor that owns its backend. */
async function openOwned(bundle: Bundle, backend: Backend): Promise<Predictor> {
  try {
    const predictor = await createPredictor(bundle, backend);
    return {
      ...predictor,
      dispose: async () => {
        await predictor.dispose();
        await backend.dispose();
      },
    };
  } catch (error) {
    await backend.dispose();
    throw error;
  }
}

/** The first run loads and compiles; the shortest of the next says what the model costs, whatever else the machine does. */
async function shortestRunMs(predictor: Predictor): Promise<number> {
  await warmUp(predictor);
  let shortest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3; run++) {
    const started = performance.now();
    await warmUp(predictor);
    shortest = Math.min(shortest, performance.now() - started);
  }
  return shortest;
}
