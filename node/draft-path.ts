import { randomUUID } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { isProcessAlive } from "./process-alive.ts";

const ending = /^\.(.+)\.(\d+)-[0-9a-f]{8}\.draft$/;

/**
 * Where a file or folder is written before it gets its name: beside its place, so that a rename is enough, and under a name that no other writer has, in
 * this process or in another one.
 *
 * @example draftPath("models/price") // models/.price.4711-9f34fd00.draft
 */
export function draftPath(path: string): string {
  const target = resolve(path);
  return join(dirname(target), `.${basename(target)}.${process.pid}-${randomUUID().slice(0, 8)}.draft`);
}

/**
 * Removes what processes that were killed left of drafts; those of a process that is alive stay.
 *
 * @param isOurs which targets' drafts, by their file names
 */
export async function removeAbandonedDrafts(folder: string, isOurs: (name: string) => boolean): Promise<void> {
  for (const entry of await readdir(folder)) {
    const [, name, pid] = ending.exec(entry) ?? [];
    const path = join(folder, entry);
    if (name === undefined || !isOurs(name) || (await isInUse(path, Number(pid)))) continue;
    await rm(path, { recursive: true, force: true }).catch(() => undefined); // another user's; it is in nobody's way
  }
}

/** In a container every process may have the same id: what is older than this one is not its own. */
async function isInUse(path: string, pid: number): Promise<boolean> {
  if (pid !== process.pid) return isProcessAlive(pid);
  const found = await stat(path).catch(() => undefined); // gone meanwhile
  return found === undefined || found.mtimeMs >= performance.timeOrigin;
}
