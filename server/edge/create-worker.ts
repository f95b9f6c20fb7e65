import { openReference } from "../../backends/reference/index.ts";
import { createPredictor, decodeBundle } from "../../core/index.ts";
import { createServer } from "../app.ts";
import type { AssetSource } from "../assets.ts";
import { failureResponse, toFailure } from "../failure.ts";
import { edgeLimits, type ServerLimits } from "../limits.ts";
import type { ServerApp } from "../protocols/protocol.ts";
import { createModelRegistry } from "../registry.ts";
import { createTelemetry } from "../telemetry.ts";
import { warmUp } from "../warm-up.ts";

/** What an edge worker is made of. */
export interface WorkerOptions {
  /** A bundle's one-file form, as a module of the worker. */
  readonly bundle: ArrayBuffer;
  readonly limits?: Partial<ServerLimits>;
  readonly assets?: AssetSource;
}

/** A Workers entry: what the module's default export must be. */
export interface Worker {
  fetch(request: Request): Promise<Response>;
}

/**
 * Serves one bundle from an edge worker. The model is opened with the first request, as nothing may be computed before one.
 *
 * @example import bundle from "./model.safetensors"; export default createWorker({ bundle });
 * @see https://developers.cloudflare.com/workers/runtime-apis/handlers/fetch/
 */
export function createWorker({ bundle, limits = {}, assets }: WorkerOptions): Worker {
  let opening: Promise<ServerApp> | undefined;
  const open = async (): Promise<ServerApp> => {
    const telemetry = createTelemetry();
    const bounds = { ...edgeLimits, ...limits };
    const registry = createModelRegistry({ onBatch: telemetry.batchRun, limits: bounds });
    const opened = await decodeBundle(new Uint8Array(bundle), "the worker's bundle");
    const predictor = await createPredictor(opened, openReference());
    await warmUp(predictor);
    registry.add(predictor);
    const onFailure = (error: unknown): void => console.error(error);
    return createServer({ registry, telemetry, limits: bounds, onFailure, ...(assets === undefined ? {} : { assets }) });
  };
  return {
    fetch: async (request) => {
      try {
        return await (await (opening ??= open())).fetch(request);
      } catch (error) {
        opening = undefined; // the next request tries again
        console.error(error);
        return failureResponse(toFailure(error));
      }
    },
  };
}
