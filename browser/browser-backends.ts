import { referenceDriver } from "../backends/reference/index.ts";
import { tfjsDriver } from "../backends/tfjs/index.ts";
import { webGpuDriver } from "../backends/webgpu/index.ts";
import { chooseBackend, type ChosenBackend } from "../core/index.ts";

/** What a page may say about the choice. */
export interface BrowserBackendOptions {
  /** "auto", or the name of the only backend that will do. Default "auto". */
  readonly name?: string;
  /** Where TensorFlow.js' `.wasm` files are; a bundler's page must say. */
  readonly wasmPaths?: string | Readonly<Record<string, string>>;
}

/**
 * The best backend of this browser: our WebGPU engine, then WebGL, both on hardware only; then WebAssembly, then plain TypeScript.
 *
 * @throws BACKEND_UNAVAILABLE, BACKEND_SELF_TEST_FAILED for one that was asked for by name and does not work here
 */
export async function chooseBrowserBackend({ name = "auto", wasmPaths }: BrowserBackendOptions = {}): Promise<ChosenBackend> {
  return await chooseBackend({
    name,
    drivers: [
      webGpuDriver({ gpu: globalThis.navigator.gpu }),
      tfjsDriver({ device: "webgl" }),
      tfjsDriver({ device: "wasm", ...(wasmPaths !== undefined && { wasmPaths }) }),
      referenceDriver,
    ],
  });
}
