export { openOnnxRuntime, type OnnxRuntimeOptions } from "./backend.ts";
export { onnxRuntimeDriver } from "./driver.ts";
