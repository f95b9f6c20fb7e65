import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { bundleFiles, EspalierError } from "../../core/index.ts";

/**
 * The bundles that some paths mean: a bundle's folder or file as it is, and every bundle directly inside any other folder, by name.
 *
 * @throws FILE_UNREADABLE when there is nothing at a path, BUNDLE_INVALID for a folder without bundles
 */
export async function findBundles(paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) throw new EspalierError("ARGUMENT_INVALID", "name at least one bundle to serve: what `espalier train` wrote");
  const found: string[] = [];
  for (const path of paths) found.push(...(await bundlesAt(path)));
  return found;
}

async function bundlesAt(path: string): Promise<string[]> {
  const status = await stat(path).catch((cause: unknown) => {
    throw new EspalierError(
      "FILE_UNREADABLE",
      `there is no bundle at ${path}; train one with \`espalier train\`, or check the path`,
      { path },
      { cause },
    );
  });
  if (!status.isDirectory() || (await isBundle(path))) return [path];
  const inside: string[] = [];
  for (const name of (await readdir(path)).toSorted()) {
    if (!name.startsWith(".") && (name.endsWith(".safetensors") || (await isBundle(join(path, name))))) inside.push(join(path, name));
  }
  if (inside.length > 0) return inside;
  throw new EspalierError(
    "BUNDLE_INVALID",
    `${path} is not a bundle and holds none: a bundle has ${bundleFiles.manifest} and ${bundleFiles.weights}`,
    { path },
  );
}

/** Either file is enough: opening says what a half bundle lacks. */
async function isBundle(folder: string): Promise<boolean> {
  for (const file of [bundleFiles.manifest, bundleFiles.weights]) {
    const status = await stat(join(folder, file)).catch(() => undefined);
    if (status?.isFile() === true) return true;
  }
  return false;
}
