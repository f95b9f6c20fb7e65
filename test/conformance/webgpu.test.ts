import type { WebGpuBackend } from "../../backends/webgpu/index.ts";
import { openSoftwareDawn } from "../support/dawn.ts";
import { describeBackend } from "./describe-backend.ts";

// Our WebGPU engine over Dawn in plain Node. The suite must run here: a machine where Dawn does not start fails it.
let backend: WebGpuBackend | undefined;

describeBackend(
  {
    name: "webgpu",
    probe: async () => ({ available: true, device: "Dawn on a software adapter", software: true }),
    open: async () => (backend = await openSoftwareDawn()),
  },
  { countLeft: () => backend?.liveBuffers },
);
