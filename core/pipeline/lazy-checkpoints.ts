import type { Checkpoint, CheckpointStore } from "../training/index.ts";

/** A store that writes seldom, and what it still holds back. */
export interface LazyCheckpoints extends CheckpointStore {
  /** Writes what was held back: when training ends early or fails. */
  flush(): Promise<void>;
}

/** How often a lazy store writes. */
export interface LazyCheckpointsOptions {
  /** Milliseconds. */
  readonly clock: () => number;
  /** At least so long between two writes; default 2000. */
  readonly everyMs?: number;
}

/**
 * Keeps the newest checkpoint in memory and writes it to another store only now and then: an epoch of a small table takes milliseconds, less than
 * flushing a file to the disk. A kill loses at most `everyMs` of work; a failure or Ctrl-C, after `flush`, nothing.
 */
export function lazyCheckpoints(store: CheckpointStore, { clock, everyMs = 2000 }: LazyCheckpointsOptions): LazyCheckpoints {
  let written: { readonly at: number; readonly location: string } | undefined;
  let held: { readonly checkpoint: Checkpoint; readonly best: boolean } | undefined;
  let heldBest: Checkpoint | undefined;
  const write = async (): Promise<string> => {
    // The best one may be older than the last: both files must be what they say.
    if (heldBest !== undefined && heldBest !== held?.checkpoint) await store.save(heldBest, { best: true });
    const location = held === undefined ? (written?.location ?? "") : await store.save(held.checkpoint, { best: held.best });
    held = undefined;
    heldBest = undefined;
    written = { at: clock(), location };
    return location;
  };
  return {
    async save(checkpoint, { best }) {
      held = { checkpoint, best };
      if (best) heldBest = checkpoint;
      return written === undefined || clock() - written.at >= everyMs ? await write() : written.location;
    },
    async load(which) {
      if (held !== undefined) await write();
      return store.load(which);
    },
    async flush() {
      if (held !== undefined) await write();
    },
  };
}
