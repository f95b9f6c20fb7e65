import { readdir } from "node:fs/promises";
import { arch, availableParallelism, cpus, platform, totalmem } from "node:os";
import type { Bench, BenchResult } from "./bench.ts";

const [name, ...flags] = process.argv.slice(2).filter((argument) => argument !== "--");
process.exitCode = await main(name, readFlags(flags));
process.exit(); // peers keep threads and timers

async function main(wanted: string | undefined, flags: ReadonlyMap<string, string>): Promise<number> {
  const json = flags.has("json");
  const known = await benchNames();
  if (wanted === undefined || !known.includes(wanted)) {
    console.error(`usage: npm run bench -- <name> [--json] [--<flag>=<value>]\nbenches: ${known.join(", ")}`);
    return 2;
  }
  const { bench } = (await import(`./${wanted}.bench.ts`)) as { readonly bench: Bench }; // every bench file exports one
  const log = (line: string): void => (json ? console.error(line) : console.log(line));
  log(`${bench.name}: ${bench.description}`);
  try {
    print(bench, await bench.run({ log, flags }), { json, log });
    return 0;
  } catch (error) {
    console.error(error);
    return 1;
  }
}

function readFlags(flags: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    flags.map((flag) => {
      const [name = "", value = ""] = flag.replace(/^--/, "").split("=");
      return [name, value] as const;
    }),
  );
}

function print(bench: Bench, result: BenchResult, { json, log }: { readonly json: boolean; readonly log: (line: string) => void }): void {
  for (const [what, ratio] of Object.entries(result.ratios)) {
    const [lower, upper] = result.spread[what] ?? [ratio, ratio];
    log(`${what}: ${ratio.toFixed(2)} times (quartiles ${lower.toFixed(2)} to ${upper.toFixed(2)})`);
  }
  log(`checks: ${JSON.stringify(result.checks)}`);
  if (json) {
    const { ratios, spread, checks } = result;
    console.log(JSON.stringify({ bench: bench.name, ratios, spread, checks, machine: machine() }));
  }
}

async function benchNames(): Promise<string[]> {
  const files = await readdir(import.meta.dirname);
  return files.flatMap((file) => (file.endsWith(".bench.ts") ? [file.slice(0, -".bench.ts".length)] : [])).toSorted();
}

function machine(): Readonly<Record<string, unknown>> {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e9),
    platform: `${platform()} ${arch()}`,
    node: process.version,
  };
}
