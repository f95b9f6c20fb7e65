import type { ProcessReading } from "../telemetry.ts";

/** This process' memory, processor time and start. */
export function readProcess(): ProcessReading {
  const { user, system } = process.cpuUsage();
  return {
    residentMemoryBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    startTimeSeconds: Date.now() / 1000 - process.uptime(),
  };
}
