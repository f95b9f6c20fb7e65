import type { Bundle, Predictor } from "../../core/index.ts";
import { loadBundle } from "../../node/bundle/bundle-files.ts";
import { createServer, type ServerOptions } from "../app.ts";
import { resolveLimits, type ServerLimits } from "../limits.ts";
import { createModelRegistry, type ModelRegistry } from "../registry.ts";
import { createTelemetry } from "../telemetry.ts";
import { warmUp } from "../warm-up.ts";
import { findBundles } from "./find-bundles.ts";
import { folderAssets } from "./folder-assets.ts";
import { listen } from "./listen.ts";
import { openPredictor as openNodePredictor } from "./open-predictor.ts";
import { readProcess } from "./read-process.ts";

/** What `serve` takes. Only the bundles are required. */
export interface ServeOptions {
  /** Paths of bundles (folders or `.safetensors` files), or of folders that hold some. */
  readonly bundles: readonly string[];
  /** Default 8080; 0 takes a free one. */
  readonly port?: number;
  /** Default 127.0.0.1: only this machine. `0.0.0.0` for every network. */
  readonly host?: string;
  /** A backend's name; default `auto`, the first that works here. */
  readonly backend?: string;
  readonly limits?: Partial<ServerLimits>;
  /** A folder of built pages: `index.html`, `demos/...`. Without it a plain form stands at `/`. */
  readonly assetsFolder?: string;
  /** Hears of every answer with a status from 500 on; default: one line on stderr. */
  readonly onFailure?: NonNullable<ServerOptions["onFailure"]>;
  /** Opens a bundle on a backend; for tests and other composition roots. */
  readonly openPredictor?: (bundle: Bundle, options: { readonly backend: string }) => Promise<Predictor>;
}

/** A server that listens. */
export interface RunningServer {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly port: number;
  readonly models: readonly { readonly name: string; readonly version: string; readonly backend: string }[];
  /** Takes no new requests, answers those in flight, frees the models. Calling twice is harmless. */
  close(): Promise<void>;
}

/**
 * Serves bundles over HTTP. It resolves when the first prediction can be answered: every model has answered its own example.
 *
 * @throws FILE_UNREADABLE, BUNDLE_INVALID, BUNDLE_VERSION, BUNDLE_CORRUPT, BACKEND_UNAVAILABLE, PORT_IN_USE, ARGUMENT_INVALID
 * @example const server = await serve({ bundles: ["digits"] }); console.log(`listening on ${server.url}`);
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { bundles, port = 8080, host = "127.0.0.1", backend = "auto", limits = {}, onFailure = logFailure } = options;
  const { assetsFolder, openPredictor = openNodePredictor } = options;
  const telemetry = createTelemetry({ readProcess });
  const registry = createModelRegistry({ onBatch: telemetry.batchRun, settle: nextTurn, limits: resolveLimits(limits) });
  try {
    const assets = assetsFolder === undefined ? {} : { assets: folderAssets(assetsFolder) };
    const app = createServer({ registry, telemetry, limits, onFailure, ...assets });
    await loadModels(registry, { paths: await findBundles(bundles), open: (bundle) => openPredictor(bundle, { backend }) });
    const listener = await listen(app.fetch, { port, host });
    let closed: Promise<void> | undefined;
    return {
      url: `http://${host.includes(":") ? `[${host}]` : host}:${listener.port}`,
      port: listener.port,
      models: registry.list().map(({ name, version, backend: chosen }) => ({ name, version, backend: chosen })),
      close: () => (closed ??= listener.close().then(() => registry.dispose())),
    };
  } catch (error) {
    await registry.dispose();
    throw error;
  }
}

async function loadModels(
  registry: ModelRegistry,
  { paths, open }: { paths: readonly string[]; open: (bundle: Bundle) => Promise<Predictor> },
): Promise<void> {
  for (const path of paths) {
    const predictor = await open(await loadBundle(path));
    registry.add(predictor); // owns it from here, also when warming up fails
    await warmUp(predictor);
  }
}

/** Sockets that are ready are read before a batch is taken: requests that came together run together. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function logFailure(error: unknown, { id, method, path }: { readonly id: string; readonly method: string; readonly path: string }): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`request ${id}: ${method} ${path} failed: ${text}\n`);
}
