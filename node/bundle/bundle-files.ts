import { mkdir, open, rename, rm, rmdir, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { bundleFiles, encodeBundle, encodeBundleFolder, EspalierError, openBundle, type Bundle, type BundleSource } from "../../core/index.ts";
import { draftPath, removeAbandonedDrafts } from "../draft-path.ts";

/** The ending of the one-file form. */
export const bundleFileEnding = ".safetensors";

/**
 * Writes a bundle so that it is there whole or not at all: as one file when the path ends in `.safetensors`, else as a folder.
 * A bundle that was there before is replaced; anything else is left alone.
 *
 * @throws FILE_UNREADABLE when the place cannot be written or holds something that is not a bundle
 */
export async function saveBundle(path: string, bundle: Bundle): Promise<void> {
  const target = resolve(path);
  const draft = draftPath(path);
  try {
    await mkdir(dirname(target), { recursive: true });
    await checkReplaceable(path);
    await removeAbandonedDrafts(dirname(target), (name) => name === basename(target));
    if (target.endsWith(bundleFileEnding)) {
      await writeDurably(draft, await encodeBundle(bundle));
    } else {
      await mkdir(draft);
      for (const [name, bytes] of Object.entries(await encodeBundleFolder(bundle))) await writeDurably(join(draft, name), bytes);
    }
    await replace(draft, target);
  } catch (cause) {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined); // the first failure is the one to tell
    throw cause instanceof EspalierError
      ? cause
      : new EspalierError("FILE_UNREADABLE", `cannot write the bundle to ${path}: ${reason(cause)}`, { path }, { cause });
  }
}

/**
 * Opens a bundle's folder or one-file form.
 *
 * @throws FILE_UNREADABLE when there is nothing at the path; BUNDLE_INVALID, BUNDLE_VERSION, BUNDLE_CORRUPT as `openBundle`
 */
export async function loadBundle(path: string): Promise<Bundle> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new EspalierError("FILE_UNREADABLE", `cannot read the bundle ${path}: ${reason(cause)}`, { path }, { cause });
  });
  if (found.isDirectory()) return await openBundle(fileSource(path, (file) => join(path, file)));
  if (!found.isFile()) throw new EspalierError("BUNDLE_INVALID", `${path} is not a bundle: it is neither a file nor a folder`, { path });
  return await openBundle(fileSource(path, (file) => (file === bundleFiles.weights ? path : undefined)));
}

/** Reads a bundle's files where `placeOf` says that they are. */
function fileSource(name: string, placeOf: (file: string) => string | undefined): BundleSource {
  const failed = (place: string, cause: unknown): EspalierError =>
    new EspalierError("FILE_UNREADABLE", `cannot read ${place}: ${reason(cause)}`, { path: place }, { cause });
  return {
    name,
    size: async (file) => {
      const place = placeOf(file);
      if (place === undefined) return undefined;
      try {
        const found = await stat(place);
        return found.isFile() ? found.size : undefined;
      } catch (cause) {
        if (isCode(cause, "ENOENT")) return undefined;
        throw failed(place, cause);
      }
    },
    read: async (file, start, end) => {
      const place = placeOf(file) ?? name;
      let handle: FileHandle | undefined;
      try {
        handle = await open(place);
        const bytes = new Uint8Array(end - start);
        let filled = 0;
        while (filled < bytes.length) {
          const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return bytes.subarray(0, filled);
      } catch (cause) {
        throw failed(place, cause);
      } finally {
        await handle?.close();
      }
    },
  };
}

/**
 * Checks, before the work whose result it is, that a bundle may and can be written at a path. One that is damaged or of another version may be replaced too; what
 * is not a bundle, or is one of the other form, may not. Leaves nothing there.
 *
 * @throws FILE_UNREADABLE when something else is there, or the place cannot be written
 */
export async function checkBundlePlace(path: string): Promise<void> {
  await checkReplaceable(path);
  const parent = dirname(resolve(path));
  const draft = draftPath(path);
  try {
    const made = await mkdir(parent, { recursive: true });
    await mkdir(draft);
    await rmdir(draft);
    // Only empty folders go: another process may have begun to use one of them.
    if (made !== undefined) for (let folder = parent; folder.length >= made.length; folder = dirname(folder)) await rmdir(folder);
  } catch (cause) {
    throw new EspalierError("FILE_UNREADABLE", `cannot write the bundle to ${path}: ${reason(cause)}`, { path }, { cause });
  }
}

/** @throws FILE_UNREADABLE when something is there that is no bundle of this form */
async function checkReplaceable(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return;
  const problem =
    found.isDirectory() === resolve(path).endsWith(bundleFileEnding)
      ? "BUNDLE_INVALID"
      : await loadBundle(path).then(
          () => undefined,
          (error: unknown) => (error instanceof EspalierError ? error.code : "BUNDLE_INVALID"),
        );
  if (problem === undefined || problem === "BUNDLE_CORRUPT" || problem === "BUNDLE_VERSION") return;
  throw new EspalierError("FILE_UNREADABLE", `${path} exists and is not a bundle; choose another path with --out, or move it away`, {
    path,
  });
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, "wx");
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A file is replaced in one rename; a folder cannot be, so the old one is set aside for the moment between two renames. */
async function replace(draft: string, target: string): Promise<void> {
  const aside = `${draft}.old`;
  const folder = !target.endsWith(bundleFileEnding) && (await stat(target).catch(() => undefined)) !== undefined;
  if (folder) await rename(target, aside);
  try {
    await rename(draft, target);
  } catch (cause) {
    if (folder) await rename(aside, target);
    throw cause;
  }
  if (folder) await rm(aside, { recursive: true, force: true });
}

function reason(cause: unknown): string {
  if (isCode(cause, "ENOENT")) return "it does not exist";
  if (isCode(cause, "EACCES") || isCode(cause, "EPERM")) return "permission denied";
  if (isCode(cause, "EEXIST") || isCode(cause, "ENOTDIR")) return "a file is in the place of a folder";
  if (isCode(cause, "ENOSPC")) return "the disk is full";
  if (isCode(cause, "EROFS")) return "the file system is read-only";
  return cause instanceof Error ? cause.message : String(cause);
}

function isCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && "code" in cause && cause.code === code;
}
