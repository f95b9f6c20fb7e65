import { EspalierError, type Availability, type BackendDriver } from "../../core/index.ts";
import { openWebGpu, type WebGpuBackend, type WebGpuOptions } from "./backend.ts";
import { probeGpu } from "./driver.ts";

/** How the engine is opened in Node. */
export interface DawnOptions extends Pick<WebGpuOptions, "tiles"> {
  /** Options of Dawn, like "backend=vulkan". @see https://github.com/dawn-gpu/node-webgpu */
  readonly dawnOptions?: readonly string[];
}

const install = "npm i webgpu, on a machine with a GPU and its Vulkan, Metal or Direct3D driver";

/**
 * Opens the engine in plain Node, over Dawn (npm's "webgpu").
 *
 * Dawn keeps the process alive as long as its instance is referenced; disposing of the backend lets go of it.
 * @throws BACKEND_UNAVAILABLE without the package or an adapter, with what to install
 */
export async function openDawn({ dawnOptions = [], ...options }: DawnOptions = {}): Promise<WebGpuBackend> {
  return await openWebGpu({ ...options, gpu: await createDawn(dawnOptions) });
}

/** The door of the engine in Node. */
export function dawnDriver(options: DawnOptions = {}): BackendDriver {
  return {
    name: "webgpu",
    probe: async () => await probeDawn(options),
    open: async () => await openDawn(options),
  };
}

async function probeDawn({ dawnOptions = [] }: DawnOptions): Promise<Availability> {
  try {
    return await probeGpu(await createDawn(dawnOptions), install);
  } catch (error) {
    if (error instanceof EspalierError && error.code === "BACKEND_UNAVAILABLE") return { available: false, reason: error.message, install };
    throw error;
  }
}

async function createDawn(options: readonly string[]): Promise<GPU> {
  try {
    const { create } = await import("webgpu");
    return create([...options]);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EspalierError("BACKEND_UNAVAILABLE", `npm's "webgpu" (Dawn) does not load: ${reason}; ${install}`, {}, { cause });
  }
}
