import type { Availability } from "../../core/index.ts";
import type { TfjsDevice } from "./device.ts";

/** Whether a device of TensorFlow.js can be there, asked of the platform and without loading anything. */
export async function probeDevice(device: TfjsDevice): Promise<Availability> {
  switch (device) {
    case "wasm":
      return typeof WebAssembly === "object"
        ? { available: true, device: "WebAssembly, 1 thread", software: false }
        : { available: false, reason: "there is no WebAssembly here", install: "use a runtime with WebAssembly" };
    case "webgl":
      return probeWebGl();
    case "webgpu":
      return await probeWebGpu();
    default:
      return device satisfies never;
  }
}

/** Software rasterisers by the names that they give their renderer. */
const softwareRenderer = /swiftshader|llvmpipe|softpipe|software|microsoft basic render/i;

function probeWebGl(): Availability {
  const missing = { available: false, reason: "there is no WebGL 2 here", install: "use a browser with WebGL 2 switched on" } as const;
  const canvas = makeCanvas();
  const context = canvas?.getContext("webgl2");
  if (!context || !("getParameter" in context)) return missing;
  const debug = context.getExtension("WEBGL_debug_renderer_info");
  const renderer = String(context.getParameter(debug === null ? context.RENDERER : debug.UNMASKED_RENDERER_WEBGL));
  const floats = context.getExtension("EXT_color_buffer_float") !== null;
  // A browser allows few contexts at a time; this one is only for asking.
  context.getExtension("WEBGL_lose_context")?.loseContext();
  if (!floats) return { available: false, reason: `WebGL on ${renderer} cannot render to 32-bit floats`, install: "use the wasm device" };
  return { available: true, device: renderer, software: softwareRenderer.test(renderer) };
}

function makeCanvas(): OffscreenCanvas | HTMLCanvasElement | undefined {
  if (typeof OffscreenCanvas !== "undefined") return new OffscreenCanvas(1, 1);
  return typeof document === "undefined" ? undefined : document.createElement("canvas");
}

async function probeWebGpu(): Promise<Availability> {
  const gpu = typeof navigator === "undefined" ? undefined : navigator.gpu;
  const adapter = (await gpu?.requestAdapter()) ?? undefined;
  if (adapter === undefined) {
    return { available: false, reason: "there is no WebGPU adapter here", install: "use a browser with WebGPU switched on" };
  }
  const { vendor, architecture, isFallbackAdapter } = adapter.info;
  return { available: true, device: `${vendor} ${architecture}`.trim(), software: isFallbackAdapter };
}
