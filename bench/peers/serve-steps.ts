import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/** Answers a trainer's requests (see `trainer.ts`) from this process until its stdin ends. */
export async function serveSteps(description: string, step: () => Promise<number>): Promise<void> {
  const answer = (value: unknown): void => {
    process.stdout.write(`${JSON.stringify(value)}\n`);
  };
  answer({ description });
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as { readonly steps?: number };
    answer(request.steps === undefined ? { peakBytes: peakBytes() } : await timeSteps(step, request.steps));
  }
  process.exit(); // systems keep threads and timers
}

async function timeSteps(step: () => Promise<number>, count: number): Promise<unknown> {
  const losses: number[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let i = 0; i < count; i += 1) losses.push(await step()); // one after the other: that is what is timed
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { losses, wallMs, cpuMs: (user + system) / 1000 };
}

/** The kernel's high-water mark of resident memory; elsewhere than on Linux the same from getrusage. */
function peakBytes(): number {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS * 1024;
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) * 1024;
}
