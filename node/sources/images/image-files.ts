import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { compareCodeUnits, EspalierError } from "../../../core/index.ts";

/** One image of a folder. */
export interface ImageFile {
  readonly path: string;
  /** The folder's own division, when it has one. */
  readonly part: ImagePart | undefined;
  /** The class: the name of the folder that it is in. Undefined for an image outside such a folder. */
  readonly label: string | undefined;
}

/** The parts that a folder may be divided into. */
export type ImagePart = "train" | "validation" | "test";

const partNames: Readonly<Record<string, ImagePart>> = {
  train: "train",
  training: "train",
  validation: "validation",
  valid: "validation",
  val: "validation",
  test: "test",
  testing: "test",
};

/** What can be decoded. */
const imageEnding = /\.(png|jpe?g|webp)$/i;

/** Whether a path is an image by its name. */
export function isImageFile(path: string): boolean {
  return imageEnding.test(path);
}

/**
 * The images under a folder, in the order of their paths: `<class>/<file>`, or `train/<class>/<file>` beside `validation/` and `test/`. Hidden files and other files are passed over;
 * folders inside a class belong to it.
 *
 * @throws FILE_UNREADABLE; DATA_EMPTY when there is no image
 */
export async function listImages(folder: string): Promise<readonly ImageFile[]> {
  const found = await walk(folder, []);
  if (found.length === 0) throw new EspalierError("DATA_EMPTY", `${folder} has no images (.png, .jpg, .jpeg, .webp)`, { folder });
  const tops = new Set(found.map(({ folders }) => folders[0]?.toLowerCase() ?? ""));
  const divided = tops.has("train") || tops.has("training") ? [...tops].every((top) => Object.hasOwn(partNames, top)) : false;
  return found.map(({ path, folders }) => {
    const part = divided ? partNames[folders[0]?.toLowerCase() ?? ""] : undefined;
    return { path, part, label: folders[divided ? 1 : 0] };
  });
}

interface Found {
  readonly path: string;
  /** From the root down. */
  readonly folders: readonly string[];
}

async function walk(folder: string, folders: readonly string[]): Promise<Found[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new EspalierError(
      "FILE_UNREADABLE",
      `cannot read the folder ${folder}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { folder },
      { cause },
    );
  });
  entries.sort((a, b) => compareCodeUnits(a.name, b.name)); // the same order on every file system
  const found: Found[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    const target = entry.isSymbolicLink() ? await stat(path).catch(() => entry) : entry; // a link that leads nowhere is neither folder nor file
    if (target.isDirectory() && !entry.isSymbolicLink()) found.push(...(await walk(path, [...folders, entry.name])));
    else if (target.isFile() && isImageFile(entry.name)) found.push({ path, folders });
  }
  return found;
}
