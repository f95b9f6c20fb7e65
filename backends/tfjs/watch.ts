import { EspalierError } from "../../core/index.ts";
import type { TfjsDevice } from "./device.ts";

/** Asks a device whether the work it was given went well: neither WebGL nor WebGPU throws where the mistake is made. */
export interface DeviceWatch {
  /** @throws BACKEND_RUN_FAILED, BACKEND_LOST */
  guard<T>(work: () => T): Promise<T>;
}

/**
 * A watch over the device that TensorFlow.js works on.
 *
 * @param backend TensorFlow.js' own object for the device, from which its WebGPU device or WebGL context is taken
 */
export function watchDevice(device: TfjsDevice, backend: unknown): DeviceWatch {
  switch (device) {
    case "wasm":
      return { guard: async (work) => work() };
    case "webgl":
      return watchWebGl((backend as { gpgpu: { gl: WebGL2RenderingContext } }).gpgpu.gl); // tfjs-backend-webgl's MathBackendWebGL
    case "webgpu":
      return watchWebGpu((backend as { device: GPUDevice }).device); // tfjs-backend-webgpu's WebGPUBackend
    default:
      return device satisfies never;
  }
}

function watchWebGl(context: WebGL2RenderingContext): DeviceWatch {
  return {
    async guard(work) {
      const result = work();
      if (context.isContextLost()) throw lost("webgl", "the WebGL context was lost");
      return result;
    },
  };
}

function watchWebGpu(device: GPUDevice): DeviceWatch {
  let gone: string | undefined;
  void device.lost.then((info) => {
    gone = info.message === "" ? info.reason : info.message;
  });
  let uncaptured: string | undefined;
  device.addEventListener("uncapturederror", (event) => {
    uncaptured = event.error.message;
  });
  return {
    async guard(work) {
      if (gone !== undefined) throw lost("webgpu", gone);
      device.pushErrorScope("out-of-memory");
      device.pushErrorScope("validation");
      // The scopes are popped whatever happens, or later work would report into them.
      const scopes = (): Promise<(GPUError | null)[]> => Promise.all([device.popErrorScope(), device.popErrorScope()]);
      let result: ReturnType<typeof work>;
      try {
        result = work();
      } catch (error) {
        await scopes();
        throw error;
      }
      const errors = await scopes();
      if (gone !== undefined) throw lost("webgpu", gone);
      const message = errors.find((error) => error !== null)?.message ?? uncaptured;
      uncaptured = undefined;
      if (message !== undefined) throw new EspalierError("BACKEND_RUN_FAILED", `tfjs-webgpu: the device refused the work: ${message}`, {});
      return result;
    },
  };
}

function lost(device: TfjsDevice, reason: string): EspalierError {
  return new EspalierError("BACKEND_LOST", `tfjs-${device}: the device was lost: ${reason}; open it again`, { device });
}
