import { EspalierError, createPredictor, decodeBundle, type Backend, type Predictor } from "../core/index.ts";
import { chooseBrowserBackend, type BrowserBackendOptions } from "./browser-backends.ts";

/** How a page opens a model. */
export interface OpenPredictorOptions extends BrowserBackendOptions {
  /** A backend that is already open; the caller disposes it. Default: the best one of this browser, disposed with the predictor. */
  readonly backend?: Backend;
  readonly signal?: AbortSignal;
}

/**
 * Loads a bundle in its one-file form and makes it ready to predict in the page, with the features and the weights that training fitted.
 *
 * @param url the bundle: what the digits demo downloads, or `encodeBundle` wrote
 * @throws FILE_UNREADABLE when it does not load; BUNDLE_INVALID, BUNDLE_VERSION, BUNDLE_CORRUPT; BACKEND_UNAVAILABLE
 * @example
 * const predictor = await openPredictor("digits.safetensors");
 * const answers = await predictor.predict(rows);
 */
export async function openPredictor(url: string | URL, { backend, signal, ...choice }: OpenPredictorOptions = {}): Promise<Predictor> {
  const bundle = await decodeBundle(await load(url, signal), String(url));
  if (backend !== undefined) return await createPredictor(bundle, backend);
  const { backend: chosen } = await chooseBrowserBackend(choice);
  const predictor = await createPredictor(bundle, chosen).catch(async (error: unknown) => {
    await chosen.dispose();
    throw error;
  });
  return {
    ...predictor,
    async dispose() {
      await predictor.dispose();
      await chosen.dispose();
    },
  };
}

async function load(url: string | URL, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new EspalierError("FILE_UNREADABLE", `${String(url)} does not load: ${reason}`, { url: String(url) }, { cause });
  };
  const response = await fetch(url, signal === undefined ? {} : { signal }).catch((cause: unknown) => {
    if (signal?.aborted === true) throw new EspalierError("CANCELLED", `loading ${String(url)} was stopped`, {}, { cause });
    return refuse(cause instanceof Error ? cause.message : String(cause), cause);
  });
  if (!response.ok) refuse(`${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}
