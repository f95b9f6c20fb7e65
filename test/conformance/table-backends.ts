import { onnxRuntimeDriver } from "../../backends/onnxruntime/index.ts";
import { referenceDriver } from "../../backends/reference/index.ts";
import { tfjsWasmDriver } from "../../backends/tfjs/index.ts";
import type { Backend } from "../../core/index.ts";
import { openSoftwareDawn } from "../support/dawn.ts";
import type { TableBackend } from "./support-table.ts";

const openers: Readonly<Record<string, () => Promise<Backend>>> = {
  reference: () => referenceDriver.open(),
  onnxruntime: () => onnxRuntimeDriver.open(),
  webgpu: () => openSoftwareDawn(),
  "tfjs-wasm": () => tfjsWasmDriver.open(),
};

/** Opens each backend in turn to ask what it has. */
export async function tableBackends(): Promise<readonly TableBackend[]> {
  const found: TableBackend[] = [];
  for (const [name, open] of Object.entries(openers)) {
    const backend = await open();
    found.push({ name, capabilities: backend.capabilities });
    await backend.dispose();
  }
  return found;
}
