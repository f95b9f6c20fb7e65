export type { TfjsDevice, TfjsOptions } from "./device.ts";
export { openTfjs, tfjsDriver, tfjsWasmDriver, tfjsWebglDriver, tfjsWebgpuDriver } from "./driver.ts";
