import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint-file.ts";
import type { CheckpointStore } from "./checkpoint.ts";

/** Checkpoints in memory, as the bytes that a file would hold: for pages, and for pausing without a disk. */
export function memoryCheckpoints(): CheckpointStore {
  const kept: Partial<Record<"last" | "best", Uint8Array>> = {};
  return {
    async save(checkpoint, { best }) {
      kept.last = encodeCheckpoint(checkpoint);
      if (best) kept.best = kept.last;
      return `memory (step ${checkpoint.step})`;
    },
    async load(which) {
      const bytes = kept[which];
      return bytes === undefined ? undefined : decodeCheckpoint(bytes);
    },
  };
}
