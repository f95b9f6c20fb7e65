export { openTfjs, tfjsDriver, tfjsWasmDriver, tfjsWebglDriver, tfjsWebgpuDriver, type TfjsDevice, type TfjsOptions } from "./driver.ts";
