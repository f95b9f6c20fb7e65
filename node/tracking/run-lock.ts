import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EspalierError } from "../../core/index.ts";
import { isProcessAlive } from "../process-alive.ts";

/** A run that this process trains, and no other one. */
export interface RunLock {
  release(): Promise<void>;
}

/**
 * Takes a run for this process: two that write its checkpoints would undo each other's work. What a killed process left is taken over.
 *
 * @param folder the run's own; made where it is missing
 * @throws ARGUMENT_INVALID when another process trains it; FILE_UNREADABLE
 */
export async function lockRun(folder: string): Promise<RunLock> {
  const path = lockPath(folder);
  const owner = await lockOwner(folder);
  if (owner !== undefined && owner !== process.pid) {
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `process ${owner} is training the run in ${folder}; wait until it has ended, or stop it (if that process is something else, remove ${path})`,
      { owner, path },
    );
  }
  try {
    await mkdir(folder, { recursive: true });
    await rm(path, { force: true });
    await writeFile(path, String(process.pid), { flag: "wx" });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EspalierError("FILE_UNREADABLE", `cannot record the run in ${folder}: ${reason}`, { path }, { cause });
  }
  return { release: () => rm(path, { force: true }) };
}

/** The living process that trains a run. */
export async function lockOwner(folder: string): Promise<number | undefined> {
  const text = await readFile(lockPath(folder), "utf8").catch(() => ""); // most runs have none
  const pid = Number(text);
  return text !== "" && Number.isSafeInteger(pid) && pid > 0 && isProcessAlive(pid) ? pid : undefined;
}

function lockPath(folder: string): string {
  return join(folder, "lock");
}
