import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { lazyCheckpoints, type LazyCheckpoints } from "../../core/index.ts";
import { fileCheckpoints } from "./file-store.ts";

/** The checkpoints of a run's models, each in a folder of its own. */
export interface ModelStores {
  /** One model's, opened when it is asked for first. */
  of(model: string): LazyCheckpoints;
  /** Where the newest model's are; undefined when none was written. */
  place(): Promise<string | undefined>;
  /** Writes what was held back. */
  flush(): Promise<void>;
  /** Removes all of them. */
  remove(): Promise<void>;
}

/** @param options.clock milliseconds */
export function modelStores(folder: string, { clock }: { readonly clock: () => number }): ModelStores {
  const stores = new Map<string, LazyCheckpoints>();
  return {
    of(model) {
      const store = stores.get(model) ?? lazyCheckpoints(fileCheckpoints(join(folder, model)), { clock });
      stores.set(model, store);
      return store;
    },
    async place() {
      for (const model of [...stores.keys()].toReversed()) if (await holdsFiles(join(folder, model))) return join(folder, model);
      return undefined;
    },
    async flush() {
      for (const store of stores.values()) await store.flush();
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function holdsFiles(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => []); // a folder that is not there has none
  return names.length > 0;
}
