import { onnxRuntimeDriver } from "../backends/onnxruntime/index.ts";
import { referenceDriver } from "../backends/reference/index.ts";
import { tfjsWasmDriver } from "../backends/tfjs/index.ts";
import { dawnDriver } from "../backends/webgpu/dawn.ts";
import type { BackendDriver } from "../core/index.ts";

/** The backends of Node, best first. Their runtimes are loaded when they are asked for. */
export const nodeBackends: readonly BackendDriver[] = [onnxRuntimeDriver, dawnDriver(), tfjsWasmDriver, referenceDriver];
