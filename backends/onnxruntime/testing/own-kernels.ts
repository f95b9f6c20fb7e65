import { importKoffi } from "../native/koffi.ts";

/** Whether kernels of our own are there: without the optional package nodes go to ONNX Runtime, which the conformance suite compares. */
export const hasOwnKernels: boolean = await importKoffi().then(
  () => true,
  () => false,
);
