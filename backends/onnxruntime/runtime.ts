import { createRequire } from "node:module";
import type * as OnnxRuntime from "onnxruntime-node";
import { EspalierError } from "../../core/index.ts";

/** The part of onnxruntime-node that is used. */
export type Runtime = Pick<typeof OnnxRuntime, "InferenceSession" | "Tensor">;

/** What to do to have the package. */
export const installCommand = "npm install onnxruntime-node";

/** Whether the package can be found; nothing is loaded. */
export function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve("onnxruntime-node");
    return true;
  } catch {
    return false; // resolve throws for what is absent
  }
}

/**
 * Loads onnxruntime-node, which is optional.
 *
 * @param load imports the package; given by tests
 * @throws BACKEND_UNAVAILABLE with what to install, or why the installed package does not load
 */
export async function loadRuntime(load: () => Promise<Runtime> = () => import("onnxruntime-node")): Promise<Runtime> {
  try {
    return await load();
  } catch (error) {
    const absent = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
    const message = absent
      ? `the onnxruntime backend needs the package onnxruntime-node: run \`${installCommand}\``
      : `onnxruntime-node is installed but does not load here: ${error instanceof Error ? error.message : String(error)}; reinstall it with \`${installCommand}\``;
    throw new EspalierError("BACKEND_UNAVAILABLE", message, { package: "onnxruntime-node" }, { cause: error });
  }
}
