import { availableParallelism } from "node:os";
import type { Availability, Backend, BackendDriver } from "../../core/index.ts";
import { describeProcessor, openOnnxRuntime } from "./backend.ts";
import { installCommand, isInstalled } from "./runtime.ts";

/** ONNX Runtime on the CPU of Node. */
export const onnxRuntimeDriver: BackendDriver = {
  name: "onnxruntime",

  probe(): Promise<Availability> {
    const reason = "the package onnxruntime-node is not installed";
    const found: Availability = { available: true, device: describeProcessor(availableParallelism()), software: false };
    return Promise.resolve(isInstalled() ? found : { available: false, reason, install: installCommand });
  },

  open(): Promise<Backend> {
    return openOnnxRuntime();
  },
};
