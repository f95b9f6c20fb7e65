import { open, rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { EspalierError } from "../core/index.ts";
import { draftPath } from "./draft-path.ts";

/** A file that comes to be whole or not at all. */
export interface DraftFile {
  write(content: string | Uint8Array): Promise<void>;
  /** Puts the file in its place. */
  commit(): Promise<void>;
  /** Leaves nothing behind. */
  discard(): Promise<void>;
}

/**
 * Starts a file beside its place; it gets its name when it is complete.
 *
 * @throws FILE_UNREADABLE when it cannot be written there
 */
export async function openDraft(path: string): Promise<DraftFile> {
  const target = resolve(path);
  const draft = draftPath(path);
  const failed = (cause: unknown): never => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EspalierError("FILE_UNREADABLE", `cannot write ${path}: ${reason}`, { path }, { cause });
  };
  const handle = await open(draft, "wx").catch(failed);
  return {
    write: async (content) => {
      await handle.writeFile(content).catch(failed);
    },
    commit: async () => {
      await handle.close();
      await rename(draft, target).catch(async (cause: unknown) => {
        await rm(draft, { force: true });
        failed(cause);
      });
    },
    discard: async () => {
      await handle.close();
      await rm(draft, { force: true });
    },
  };
}

/** Writes a file that is there whole or not at all. @throws FILE_UNREADABLE when it cannot be written there */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const draft = await openDraft(path);
  try {
    await draft.write(content);
  } catch (error) {
    await draft.discard();
    throw error;
  }
  await draft.commit();
}
