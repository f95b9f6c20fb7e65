import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pointer } from "./ort-api.ts";

/** A session, and the model that ONNX Runtime wrote while it made it. */
export interface OptimizedSession {
  readonly session: Pointer;
  /** Undefined where there is no place for files. */
  readonly optimized: Uint8Array | undefined;
}

/**
 * Creates a session and reads its optimized model. ONNX Runtime gives that only into a file, which lives as long as this call, in a folder that no other user sees.
 *
 * @param create makes the session and writes the model to the path, or nowhere when it is ""; that is tried when it throws, for it may be the file that failed
 * @throws what `create` throws for ""
 */
export function createOptimized(create: (path: string) => Pointer): OptimizedSession {
  const folder = attempt(() => mkdtempSync(join(tmpdir(), "espalier-model-")));
  if (folder === undefined) return { session: create(""), optimized: undefined };
  const path = join(folder, "model.onnx");
  try {
    const session = attempt(() => create(path)) ?? create("");
    return { session, optimized: attempt(() => readFileSync(path)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What is made, or undefined where files fail: there is a way without them. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
