export { openWebGpu, type WebGpuBackend, type WebGpuOptions } from "./backend.ts";
export { webGpuDriver, type WebGpuDriverOptions } from "./driver.ts";
export type { WebGpuExecutable } from "./executable.ts";
