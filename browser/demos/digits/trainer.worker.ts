import wasm from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import { chooseBrowserBackend } from "../../browser-backends.ts";
import { serveTraining, type WorkerEnd } from "../../training/serve-training.ts";

// The threaded build is never used (see backends/tfjs), but TensorFlow.js wants an address for it.
const wasmPaths = { "tfjs-backend-wasm.wasm": wasm, "tfjs-backend-wasm-simd.wasm": simd, "tfjs-backend-wasm-threaded-simd.wasm": simd };

serveTraining(self as unknown as WorkerEnd, {
  // `self` is typed as a window here
  choose: (name) => chooseBrowserBackend({ name, wasmPaths }),
  clock: () => performance.now(),
  now: () => new Date().toISOString(),
  agent: navigator.userAgent,
});
