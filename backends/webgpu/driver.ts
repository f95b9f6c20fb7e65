import { EspalierError, type Availability, type BackendDriver } from "../../core/index.ts";
import { adapterAdvice, describeAdapter, isSoftwareAdapter } from "./adapter.ts";
import { openWebGpu } from "./backend.ts";

/** Where the driver finds WebGPU. */
export interface WebGpuDriverOptions {
  /** `navigator.gpu`, or undefined where a page or worker has none. */
  readonly gpu: GPU | undefined;
}

/**
 * The door of the engine in a browser.
 *
 * @example const driver = webGpuDriver({ gpu: globalThis.navigator.gpu });
 */
export function webGpuDriver({ gpu }: WebGpuDriverOptions): BackendDriver {
  return {
    name: "webgpu",
    probe: async () =>
      gpu === undefined ? { available: false, reason: "this runtime has no navigator.gpu", install: adapterAdvice } : await probeGpu(gpu),
    async open() {
      if (gpu === undefined) throw new EspalierError("BACKEND_UNAVAILABLE", `this runtime has no navigator.gpu; ${adapterAdvice}`, {});
      return await openWebGpu({ gpu });
    },
  };
}

/**
 * Whether an implementation has an adapter, and which.
 *
 * @param install what to do where there is none
 */
export async function probeGpu(gpu: GPU, install: string = adapterAdvice): Promise<Availability> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) return { available: false, reason: "WebGPU is there, but has no adapter", install };
  return { available: true, device: describeAdapter(adapter), software: isSoftwareAdapter(adapter) };
}
