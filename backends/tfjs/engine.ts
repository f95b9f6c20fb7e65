import { backend as currentBackend, env, getBackend, setBackend } from "@tensorflow/tfjs-core";
import { EspalierError, type Backend, type CompileOptions, type Executable, type Graph } from "../../core/index.ts";
import { unavailable, type TfjsDevice, type TfjsOptions } from "./device.ts";
import { TfjsExecutable, operatorNames, type DeviceLink } from "./executable.ts";
import { watchDevice, type DeviceWatch } from "./watch.ts";

/**
 * Opens a device of TensorFlow.js. This module imports the packages, so it is itself imported lazily by the driver.
 *
 * @throws BACKEND_UNAVAILABLE when the device's package is missing or TensorFlow.js would fall back to another device
 */
export async function openEngine({ device, wasmPaths, description }: TfjsOptions & { readonly description: string }): Promise<Backend> {
  await loadDevice(device, wasmPaths);
  const accepted = await setBackend(device).catch((cause: unknown) => {
    throw unavailable(device, cause);
  });
  // TensorFlow.js answers false, says nothing and goes on with another device.
  if (!accepted || getBackend() !== device) {
    throw new EspalierError(
      "BACKEND_UNAVAILABLE",
      `tfjs-${device}: TensorFlow.js does not start on this device (it would fall back to "${getBackend()}")`,
      {
        device,
      },
    );
  }
  return new TfjsBackend(device, { description, watch: watchDevice(device, currentBackend()) });
}

async function loadDevice(device: TfjsDevice, wasmPaths: TfjsOptions["wasmPaths"]): Promise<void> {
  try {
    switch (device) {
      case "wasm": {
        const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
        // The threaded build dies in minified bundles, and Node has no threads for it (facts on tfjs 4.22).
        env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
        if (wasmPaths !== undefined) setWasmPaths(wasmPaths);
        return;
      }
      case "webgl":
        await import("@tensorflow/tfjs-backend-webgl");
        return;
      case "webgpu":
        await import("@tensorflow/tfjs-backend-webgpu");
        return;
      default:
        device satisfies never;
    }
  } catch (cause) {
    throw unavailable(device, cause);
  }
}

class TfjsBackend implements Backend {
  readonly name: string;
  readonly device: string;
  readonly capabilities: Backend["capabilities"] = { operators: operatorNames, memory: "device", concurrent: true };
  #link: DeviceLink;
  #executables = new Set<Executable>();

  constructor(device: TfjsDevice, { description, watch }: { readonly description: string; readonly watch: DeviceWatch }) {
    this.name = `tfjs-${device}`;
    this.device = description;
    this.#link = { device, activate: () => activate(device), guard: (work) => watch.guard(work) };
  }

  async compile(graph: Graph, options: CompileOptions = {}): Promise<Executable> {
    options.signal?.throwIfAborted();
    const executable = new TfjsExecutable(graph, this.#link, options);
    this.#executables.add(executable);
    return executable;
  }

  /** Frees what was compiled here; the device itself belongs to the process, and others may be on it. */
  async dispose(): Promise<void> {
    for (const executable of this.#executables) await executable.dispose();
    this.#executables.clear();
  }
}

/** A device that was opened once is set again at once, although the call answers with a promise. */
function activate(device: TfjsDevice): void {
  if (getBackend() === device) return;
  void setBackend(device);
  if (getBackend() !== device) throw new EspalierError("BACKEND_LOST", `TensorFlow.js no longer has its ${device} device`, { device });
}
