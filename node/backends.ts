import { onnxRuntimeDriver } from "../backends/onnxruntime/index.ts";
import { referenceDriver } from "../backends/reference/index.ts";
import { tfjsWasmDriver } from "../backends/tfjs/index.ts";
import type { BackendDriver } from "../core/index.ts";

/** The backends of Node, best first: whichever works first is used unless one is named. Their runtimes are loaded when they are opened. */
export const nodeBackends: readonly BackendDriver[] = [onnxRuntimeDriver, tfjsWasmDriver, referenceDriver];
