import { arch, availableParallelism, cpus, platform, release } from "node:os";

/** Where a model was trained, for its bundle and its run record. */
export function describeEnvironment(): Record<string, string> {
  return {
    node: process.version,
    system: `${platform()} ${release()} ${arch()}`,
    processor: `${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} threads`,
  };
}
