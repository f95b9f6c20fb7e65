import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { requireCheck, type Bench } from "./bench.ts";
import { quantile } from "./measure.ts";
import type { Compilation } from "./peers/espalier-compile.ts";
import { compiledSubjects, type CompiledSubject } from "./subjects/compiled.ts";

/** A step of ResNet-50 is compiled in so much processor time at most: time by the clock says more of what else the machine does. */
const mostCpuMs = 2000;

/**
 * Compiling a training step on onnxruntime, from the model to the session, the first time in a process and again.
 *
 * Each round is a process of its own, run from source; both compilations must lose the same, bit for bit. `--subject=<part of a name>`, `--threads=<n>` (1) and
 * `--rounds=<n>` (5) are for a part of it.
 */
export const bench: Bench = {
  name: "compile",
  description: "compiling a training step: differentiate, plan, lower, serialize, create the session; the first time in a process and again",
  async run({ log, flags }) {
    const chosen = compiledSubjects.filter(({ name }) => name.toLowerCase().includes(flags.get("subject")?.toLowerCase() ?? ""));
    const [threads, rounds] = [Number(flags.get("threads") ?? 1), Number(flags.get("rounds") ?? 5)];
    const ratios: Record<string, number> = {};
    const spread: Record<string, readonly [number, number]> = {};
    const checks: Record<string, unknown> = {};
    for (const subject of chosen) {
      const found: (readonly [first: Compilation, again: Compilation])[] = [];
      for (let round = 0; round < rounds; round += 1) found.push(await compileTwice(subject, threads));
      const quotients = found.map(([first, again]) => first.cpuMs / again.cpuMs);
      const what = `${subject.name} compiled again vs the first time`;
      ratios[what] = quantile(quotients, 0.5);
      spread[what] = [quantile(quotients, 0.25), quantile(quotients, 0.75)];
      const least = (of: "wallMs" | "cpuMs", which: 0 | 1): number => Math.min(...found.map((pair) => pair[which][of]));
      const figures = { firstMs: least("wallMs", 0), cachedMs: least("wallMs", 1), firstCpuMs: least("cpuMs", 0), cachedCpuMs: least("cpuMs", 1) };
      checks[subject.name] = figures;
      log(
        `${subject.name}: ${Object.entries(figures)
          .map(([name, ms]) => `${name} ${ms.toFixed(0)}`)
          .join(", ")} (least of ${rounds})`,
      );
      if (subject.name.startsWith("ResNet-50")) {
        requireCheck(figures.firstCpuMs < mostCpuMs, `${subject.name} took ${figures.firstCpuMs} ms of processor time to compile`);
      }
    }
    return { ratios, spread, checks };
  },
};

async function compileTwice({ name }: CompiledSubject, threads: number): Promise<readonly [Compilation, Compilation]> {
  const script = join(import.meta.dirname, "peers/espalier-compile.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script, name, String(threads)]);
  const [first, again] = JSON.parse(stdout) as readonly Compilation[]; // the script prints them
  if (first === undefined || again === undefined) throw new Error(`${name}: ${stdout}`);
  const isSame = threads > 1 || first.losses.every((loss, i) => loss === again.losses[i]); // several threads add up in any order
  requireCheck(isSame, `${name}: losses ${first.losses.join()} and then ${again.losses.join()}`);
  return [first, again];
}
