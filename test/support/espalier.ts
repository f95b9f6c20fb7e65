import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What a finished command left. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of stdout as JSON: what `--json` promises. */
  readonly json: unknown;
}

/** How a command is run. */
export interface RunOptions {
  readonly cwd: string;
  /** Sends SIGINT as soon as the output so far satisfies this. */
  readonly interruptWhen?: (output: string) => boolean;
}

const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** Runs the command line in a process of its own, from source. */
export async function espalier(args: readonly string[], { cwd, interruptWhen }: RunOptions): Promise<CommandResult> {
  const child = startEspalier(args, cwd);
  let [stdout, stderr, interrupted] = ["", "", false];
  const look = (): void => {
    if (interrupted || interruptWhen?.(stdout + stderr) !== true) return;
    interrupted = child.kill("SIGINT");
  };
  child.stdout.on("data", (text: string) => ((stdout += text), look()));
  child.stderr.on("data", (text: string) => ((stderr += text), look()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout, stderr, json: parseLast(stdout) };
}

/** Starts the command line; the caller ends it. */
export function startEspalier(args: readonly string[], cwd: string): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [main, ...args], { cwd, env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined } });
  child.stdout.setEncoding("utf8");
  child.stderr.setEncoding("utf8");
  return child;
}

/** A folder of its own for one test. */
export async function temporaryFolder(): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "espalier-e2e-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A JSON array of flat objects, as CSV. */
export async function jsonToCsv(path: string): Promise<string> {
  const rows = JSON.parse(await readFile(path, "utf8")) as readonly Readonly<Record<string, unknown>>[]; // a data set of vega-datasets
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const quoted = (value: unknown): string => {
    const text = typeof value === "string" ? value : JSON.stringify(value ?? "").replace(/^""$/, "");
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [names, ...rows.map((row) => names.map((name) => row[name]))].map((row) => `${row.map(quoted).join(",")}\n`).join("");
}

/** The place of a data set of the npm package vega-datasets. */
export function vegaData(name: string): string {
  return fileURLToPath(new URL(`../../node_modules/vega-datasets/data/${name}`, import.meta.url));
}

function parseLast(stdout: string): unknown {
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  return last.startsWith("{") ? JSON.parse(last) : undefined;
}
