import { spawn, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { EspalierError } from "../../../core/index.ts";

/** What a run of wrangler ended with. */
export interface WranglerResult {
  readonly exitCode: number;
  /** Everything that it wrote, both streams in their order. */
  readonly output: string;
}

/**
 * Finds wrangler: beside the working folder first, then beside Espalier.
 *
 * @returns the path of its entry
 * @throws FILE_UNREADABLE with how to install it
 */
export function findWrangler(workingFolder: string): string {
  for (const from of [join(workingFolder, "package.json"), import.meta.url]) {
    try {
      const manifest = createRequire(from).resolve("wrangler/package.json");
      return join(dirname(manifest), "bin", "wrangler.js");
    } catch {
      continue; // not installed there; the next place is asked
    }
  }
  throw new EspalierError("FILE_UNREADABLE", "Cloudflare's wrangler is not installed; run: npm install --save-dev wrangler", { package: "wrangler" });
}

/**
 * Runs wrangler with this process' Node, as wrangler needs 22 or newer whatever the machine has.
 *
 * @param onOutput hears what it writes while it runs
 * @throws CANCELLED when the signal stopped it; its helpers have ended by then
 */
export async function runWrangler(
  entry: string,
  args: readonly string[],
  { folder, onOutput, signal }: { readonly folder: string; readonly onOutput?: (text: string) => void; readonly signal?: AbortSignal },
): Promise<WranglerResult> {
  refuseStopped(signal);
  // In a group of its own: wrangler starts helpers, which must end with it.
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...quiet },
    detached: hasGroups,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      output += text;
      onOutput?.(text);
    });
  }
  let overdue: NodeJS.Timeout | undefined;
  const stop = (): void => {
    endGroup(child, "SIGTERM");
    overdue = setTimeout(() => endGroup(child, "SIGKILL"), graceMs);
  };
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once("error", (cause) => reject(new EspalierError("INTERNAL", `wrangler did not start: ${cause.message}`, {}, { cause })));
      child.once("close", (code) => resolve(code ?? 1));
    });
    refuseStopped(signal);
    return { exitCode, output };
  } finally {
    clearTimeout(overdue);
    signal?.removeEventListener("abort", stop);
  }
}

/** Windows has no process groups. */
const hasGroups = process.platform !== "win32";

/** How long wrangler may take to end its helpers. */
const graceMs = 3000;

function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(hasGroups ? -pid : pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error; // it has ended already
  }
}

function refuseStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new EspalierError("CANCELLED", "deploying was stopped", {}, { cause: signal.reason });
}

/** No statistics, no error reports, no questions, no fetching of request metadata. */
const quiet: Readonly<Record<string, string>> = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  NO_UPDATE_NOTIFIER: "1",
  FORCE_COLOR: "0",
};
