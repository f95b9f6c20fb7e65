import { createPredictor, decodeBundle, EspalierError, type Backend, type Predictor } from "../core/index.ts";
import { chooseBrowserBackend, type BrowserBackendOptions } from "./browser-backends.ts";

/** What `openPredictor` takes besides the address. */
export interface OpenPredictorOptions extends BrowserBackendOptions {
  /** A backend of the caller's, who also disposes it; default: the best of this browser. */
  readonly backend?: Backend;
  readonly signal?: AbortSignal;
}

/**
 * Opens a bundle's one-file form in a page: predictions then need no server.
 *
 * @param url the bundle's address, from the same site or one that allows it
 * @throws FILE_UNREADABLE when the address answers with an error; BUNDLE_INVALID, BUNDLE_VERSION, BUNDLE_CORRUPT; BACKEND_UNAVAILABLE
 * @example
 * const predictor = await openPredictor("./price.safetensors");
 * const answer = await predictor.predict(columnsFromRows([{ rooms: 3 }], predictor.manifest.inputs));
 */
export async function openPredictor(url: string | URL, { backend, signal, ...choice }: OpenPredictorOptions = {}): Promise<Predictor> {
  const response = await fetch(url, signal === undefined ? {} : { signal });
  if (!response.ok) {
    throw new EspalierError("FILE_UNREADABLE", `the bundle at ${url} cannot be read: HTTP ${response.status}`, { status: response.status });
  }
  const bundle = await decodeBundle(new Uint8Array(await response.arrayBuffer()), String(url));
  if (backend !== undefined) return await createPredictor(bundle, backend);
  const chosen = (await chooseBrowserBackend(choice)).backend;
  const predictor = await createPredictor(bundle, chosen);
  return {
    ...predictor,
    dispose: async () => {
      await predictor.dispose();
      await chosen.dispose();
    },
  };
}
