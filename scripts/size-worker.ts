import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildWorker, measureWorker } from "../server/node/deploy/deploy.ts";
import { findWrangler } from "../server/node/deploy/wrangler.ts";

/** The size of the edge worker, and what it may be. */
export interface WorkerSize {
  /** All of the worker's code as wrangler minifies it, compressed, without weights. */
  readonly gzipBytes: number;
  readonly limitBytes: number;
}

/** 120 KB: what the worker may have, compressed, without weights. */
const limitBytes = 120_000;

/** Builds a worker as `espalier deploy` does and measures its code. @throws FILE_UNREADABLE without wrangler, INTERNAL when it does not build */
export async function measureWorkerSize(): Promise<WorkerSize> {
  const draft = await mkdtemp(join(tmpdir(), "espalier-size-"));
  try {
    const folder = await buildWorker({ name: "model", bundle: new Uint8Array(1) }, { wrangler: findWrangler(process.cwd()), draft });
    return { gzipBytes: (await measureWorker(folder)).gzipBytes, limitBytes };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
