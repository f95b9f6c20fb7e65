import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";

/** Where a model was trained, for its bundle and its run record. */
export function describeEnvironment(): Record<string, string> {
  return {
    node: process.version,
    system: `${platform()} ${release()} ${arch()}`,
    processor: `${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} threads`,
  };
}

/** Bytes that a training step may take when nobody says: half of what the machine, or its container, has; the data and the process are in the other half. */
export function memoryForTraining(): number {
  const limit = process.constrainedMemory();
  return Math.floor((limit > 0 ? Math.min(limit, totalmem()) : totalmem()) / 2);
}
