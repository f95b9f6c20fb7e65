import { copyFile, link, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { decodeCheckpoint, encodeCheckpoint, EspalierError, type Checkpoint, type CheckpointStore } from "../../core/index.ts";
import { draftPath, removeAbandonedDrafts } from "../draft-path.ts";

const stepFile = /^step-(\d+)\.safetensors$/;
const checkpointFile = /^(last|best|step-\d+)\.safetensors$/;

/** A folder of checkpoints. */
export interface FileCheckpoints extends CheckpointStore {
  /** @param which "last", "best", or the step of one that was retained */
  load(which: "last" | "best" | number): Promise<Checkpoint | undefined>;
  /** The steps of the retained ones, rising. */
  steps(): Promise<readonly number[]>;
}

/** What a folder keeps. */
export interface FileCheckpointsOptions {
  /** So many of the newest stay under their steps besides the last and the best, `step-000001200.safetensors`; `Infinity` for all. Default 0. */
  readonly retain?: number;
}

/**
 * Checkpoints in a folder: `last.safetensors`, `best.safetensors`, and the newest by their steps when asked for.
 *
 * A file is written beside its place, flushed to the disk and renamed, so that a kill at any moment leaves the old or the new one, whole; two processes
 * that write into one folder leave the last one's files, whole. The folder is made by the first save, which also removes what killed processes left.
 *
 * @throws FILE_UNREADABLE naming the path when it cannot be written or read; CHECKPOINT_INVALID naming it when it is damaged; ARGUMENT_INVALID
 */
export function fileCheckpoints(folder: string, { retain = 0 }: FileCheckpointsOptions = {}): FileCheckpoints {
  if (!(retain === Infinity || (Number.isSafeInteger(retain) && retain >= 0))) {
    throw new EspalierError("ARGUMENT_INVALID", `fileCheckpoints: retain must be a whole number from 0, not ${retain}`, { retain });
  }
  const pathOf = (which: "last" | "best" | number): string =>
    join(folder, `${typeof which === "number" ? `step-${String(which).padStart(9, "0")}` : which}.safetensors`);
  const steps = (): Promise<readonly number[]> => retainedSteps(folder);
  let tidied = false;
  return {
    async save(checkpoint, { best }) {
      const bytes = encodeCheckpoint(checkpoint);
      await replaceFile(pathOf("last"), folder, (path) => writeFlushed(path, bytes));
      if (!tidied) await removeAbandonedDrafts(folder, (name) => checkpointFile.test(name));
      tidied = true;
      const ofLast = (path: string): Promise<void> => linkOrCopy(pathOf("last"), path);
      if (best) await replaceFile(pathOf("best"), folder, ofLast);
      if (retain === 0) return pathOf("last");
      await replaceFile(pathOf(checkpoint.step), folder, ofLast);
      await removeOutdated(folder, retain);
      return pathOf("last");
    },
    async load(which) {
      const bytes = await readIfThere(pathOf(which));
      return bytes === undefined ? undefined : decodeCheckpoint(bytes, pathOf(which));
    },
    steps,
  };
}

/** Removes all but the newest steps. */
async function removeOutdated(folder: string, retain: number): Promise<void> {
  const names = (await readdir(folder)).filter((name) => stepFile.test(name));
  for (const name of names.toSorted().toReversed().slice(retain)) await rm(join(folder, name), { force: true });
}

async function retainedSteps(folder: string): Promise<readonly number[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return [];
    throw unreadable(`cannot read the folder ${folder}`, folder, cause);
  });
  const steps = names.flatMap((name) => {
    const found = stepFile.exec(name);
    return found === null ? [] : [Number(found[1])];
  });
  return steps.toSorted((a, b) => a - b);
}

/** The same bytes under another name, without writing them again where the file system can. Both names stand for one file that is never changed, only replaced. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to));
}

async function replaceFile(path: string, folder: string, write: (path: string) => Promise<void>): Promise<void> {
  const temporary = draftPath(path);
  try {
    await mkdir(folder, { recursive: true });
    await write(temporary);
    await rename(temporary, path);
    await flushFolder(folder); // the new name is on the disk too
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first failure is the one to report
    throw unreadable(`cannot write the checkpoint ${path}; check that the folder can be written and the disk has room`, path, cause);
  }
}

async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function flushFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return; // a folder cannot be opened there
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw unreadable(`cannot read the checkpoint ${path}`, path, cause);
  }
}

function unreadable(message: string, path: string, cause: unknown): EspalierError {
  return new EspalierError("FILE_UNREADABLE", `${message} (${cause instanceof Error ? cause.message : String(cause)})`, { path }, { cause });
}
