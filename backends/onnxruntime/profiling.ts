import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EspalierError, type KernelTiming, type OnnxModel, type Tensors } from "../../core/index.ts";
import type { Runtime } from "./runtime.ts";
import type { SessionSettings } from "./session-settings.ts";
import { openSession } from "./session.ts";

/**
 * Runs a model twice in a session of its own that ONNX Runtime profiles, and reads the second run from the file that it writes.
 *
 * @throws as `openSession` and its runs; BACKEND_RUN_FAILED when the file is not what is known of it
 * @see https://onnxruntime.ai/docs/performance/tune-performance/profiling-tools.html
 */
export async function profileModel(
  runtime: Runtime,
  model: OnnxModel,
  options: { readonly settings: SessionSettings; readonly feeds: Tensors; readonly batch: number },
): Promise<readonly KernelTiming[]> {
  const { settings, feeds, batch } = options;
  const folder = await mkdtemp(join(tmpdir(), "espalier-profile-"));
  try {
    const session = await openSession(runtime, model, { ...settings, profilePrefix: join(folder, "run") });
    try {
      await session.run(feeds, batch);
      await session.run(feeds, batch);
      session.endProfiling?.();
    } finally {
      await session.release();
    }
    const [file] = await readdir(folder);
    return parseProfile(await readFile(join(folder, file ?? ""), "utf8"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly ts: number;
  readonly dur: number;
  readonly args: { readonly op_name?: string };
}

const kernelSuffix = "_kernel_time";

/** The kernels of the last run in a profile. */
export function parseProfile(text: string): readonly KernelTiming[] {
  const events = parseEvents(text);
  const start = events.findLast(({ name }) => name === "model_run")?.ts;
  if (start === undefined) throw new EspalierError("BACKEND_RUN_FAILED", "onnxruntime's profile has no run in it", {});
  return events
    .filter(({ cat, name, ts }) => cat === "Node" && name.endsWith(kernelSuffix) && ts >= start)
    .map(({ name, ts, dur, args }) => ({
      node: nodeOf(name.slice(0, -kernelSuffix.length)),
      kernel: args.op_name ?? "",
      startMs: (ts - start) / 1000,
      durationMs: dur / 1000,
    }));
}

/** The name that a node had before ONNX Runtime joined it with the activation after it, or gave it its blocked layout. */
function nodeOf(name: string): string {
  return name.replace(/^fused /, "").replace(/_nchwc$/, "");
}

function parseEvents(text: string): readonly ProfileEvent[] {
  try {
    return JSON.parse(text) as readonly ProfileEvent[]; // written by the library a moment ago
  } catch (cause) {
    throw new EspalierError("BACKEND_RUN_FAILED", "onnxruntime's profile is not JSON", {}, { cause });
  }
}
