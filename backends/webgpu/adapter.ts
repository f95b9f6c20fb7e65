import { EspalierError } from "../../core/index.ts";

/** What to do where there is no adapter. */
export const adapterAdvice =
  "use a browser with WebGPU switched on (Chrome, Edge, Safari 26, Firefox 141 or newer) on a machine with a GPU and its driver; in Node, npm i webgpu";

/** @throws BACKEND_UNAVAILABLE when the implementation has no adapter */
export async function requestAdapter(gpu: GPU): Promise<GPUAdapter> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter) return adapter;
  throw new EspalierError("BACKEND_UNAVAILABLE", `WebGPU has no adapter here; ${adapterAdvice}`, {});
}

/** The adapter in words: "Apple M3", "SwiftShader driver 5.0.0 (software)". */
export function describeAdapter(adapter: GPUAdapter): string {
  const { vendor, architecture, device, description } = adapter.info;
  const name = description || [vendor, architecture, device].filter((part) => part !== "").join(" ") || "WebGPU adapter";
  return isSoftwareAdapter(adapter) ? `${name} (software)` : name;
}

/** Whether the CPU plays the GPU: a backend for CPUs is faster then. */
export function isSoftwareAdapter(adapter: GPUAdapter): boolean {
  const { isFallbackAdapter, vendor, architecture, device, description } = adapter.info;
  // Mesa's software renderer does not say that it is a fallback.
  return isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render driver/i.test([vendor, architecture, device, description].join(" "));
}
