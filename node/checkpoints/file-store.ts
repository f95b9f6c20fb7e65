import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { decodeCheckpoint, encodeCheckpoint, EspalierError, type CheckpointStore } from "../../core/index.ts";

/**
 * Checkpoints in a folder: `last.safetensors` and `best.safetensors`.
 *
 * A file is written beside its place, flushed to the disk and renamed, so that a kill at any moment leaves the old or the new one, whole.
 * The folder is made by the first save.
 *
 * @throws FILE_UNREADABLE naming the path when it cannot be written or read; CHECKPOINT_INVALID naming it when it is damaged
 */
export function fileCheckpoints(folder: string): CheckpointStore {
  const pathOf = (which: "last" | "best"): string => join(folder, `${which}.safetensors`);
  return {
    async save(checkpoint, { best }) {
      const bytes = encodeCheckpoint(checkpoint);
      if (best) await replaceFile(pathOf("best"), bytes, folder);
      await replaceFile(pathOf("last"), bytes, folder);
      return pathOf("last");
    },
    async load(which) {
      const bytes = await readIfThere(pathOf(which));
      return bytes === undefined ? undefined : decodeCheckpoint(bytes, pathOf(which));
    },
  };
}

async function replaceFile(path: string, bytes: Uint8Array, folder: string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await mkdir(folder, { recursive: true });
    await writeFlushed(temporary, bytes);
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
