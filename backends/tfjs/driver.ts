import type * as engine from "./engine.ts";
import { EspalierError, type Availability, type Backend, type BackendDriver } from "../../core/index.ts";
import { unavailable, type TfjsDevice, type TfjsOptions } from "./device.ts";

/** TensorFlow.js on WebAssembly SIMD, one thread: Node and pages. */
export const tfjsWasmDriver: BackendDriver = tfjsDriver({ device: "wasm" });

/** TensorFlow.js on WebGL 2: pages whose browser has no WebGPU. */
export const tfjsWebglDriver: BackendDriver = tfjsDriver({ device: "webgl" });

/** TensorFlow.js on WebGPU: a peer of our own engine, mostly for comparison. */
export const tfjsWebgpuDriver: BackendDriver = tfjsDriver({ device: "webgpu" });

/** A driver for one device of TensorFlow.js. */
export function tfjsDriver(options: TfjsOptions): BackendDriver {
  return { name: `tfjs-${options.device}`, probe: () => probe(options.device), open: () => openTfjs(options) };
}

/**
 * Loads TensorFlow.js and opens a device of it. Our graphs bring their own gradients, so only forward kernels are used.
 *
 * @throws BACKEND_UNAVAILABLE when the packages are not installed or the device is not there; never another device in its place
 */
export async function openTfjs(options: TfjsOptions): Promise<Backend> {
  const found = await probe(options.device);
  if (!found.available) {
    throw new EspalierError("BACKEND_UNAVAILABLE", `tfjs-${options.device}: ${found.reason}; ${found.install}`, { device: options.device });
  }
  const { openEngine } = await loadEngine(options.device);
  return await openEngine({ ...options, description: found.device });
}

async function loadEngine(device: TfjsDevice): Promise<typeof engine> {
  try {
    return await import("./engine.ts");
  } catch (cause) {
    throw unavailable(device, cause);
  }
}

async function probe(device: TfjsDevice): Promise<Availability> {
  const { probeDevice } = await import("./probe.ts");
  return await probeDevice(device);
}
