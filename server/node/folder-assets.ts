import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { contentTypeOf, type AssetSource } from "../assets.ts";

/** Pages from a folder of built files, read when they are asked for. */
export function folderAssets(folder: string): AssetSource {
  return {
    read: async (path) => {
      try {
        return { bytes: new Uint8Array(await readFile(join(folder, path))), contentType: contentTypeOf(path) };
      } catch (error) {
        if (error instanceof Error && "code" in error && absent.has(String(error.code))) return undefined;
        throw error;
      }
    },
  };
}

const absent: ReadonlySet<string> = new Set(["ENOENT", "EISDIR", "ENOTDIR", "ENAMETOOLONG"]);
