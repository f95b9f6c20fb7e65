import { EspalierError } from "../../core/index.ts";

/** What TensorFlow.js computes on. */
export type TfjsDevice = "wasm" | "webgl" | "webgpu";

/** How a TensorFlow.js backend is opened. */
export interface TfjsOptions {
  readonly device: TfjsDevice;
  /**
   * Where the `.wasm` files are: a folder's address ending in `/`, or an address for each file name. Pages that are bundled need it; Node finds them in
   * the package. Only the first `wasm` backend of a process reads it.
   */
  readonly wasmPaths?: string | Readonly<Record<string, string>>;
}

const packages: Readonly<Record<TfjsDevice, string>> = {
  wasm: "@tensorflow/tfjs-core @tensorflow/tfjs-backend-wasm",
  webgl: "@tensorflow/tfjs-core @tensorflow/tfjs-backend-webgl",
  webgpu: "@tensorflow/tfjs-core @tensorflow/tfjs-backend-webgpu",
};

/** The failure of an `import()` of the packages, with what to install. */
export function unavailable(device: TfjsDevice, cause: unknown): EspalierError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new EspalierError(
    "BACKEND_UNAVAILABLE",
    `tfjs-${device}: its packages do not load (${reason}); run npm install ${packages[device]}`,
    { device },
    { cause },
  );
}
