import { stat } from "node:fs/promises";
import { EspalierError, readTable, rowSource, Sha256, type TableOptions } from "../../core/index.ts";
import { isIdxFile, openIdxFile } from "./images/idx-files.ts";
import { openImageFolder, type ImageFolderOptions } from "./images/image-folder.ts";
import { openFiles, type ReadingOptions } from "./open-files.ts";
import type { TrainingData } from "./training-data.ts";

/** How files are opened to be learned from. */
export interface OpenTrainingDataOptions extends Pick<TableOptions, "signal">, Pick<ImageFolderOptions, "onProgress"> {
  readonly reading: ReadingOptions;
}

/**
 * Opens what a person names: files of rows, a folder of images, or a file of images in the IDX format.
 *
 * @throws FILE_UNREADABLE; ARGUMENT_INVALID for images beside other data, or a size for what is no folder of images; what the source's opening throws
 */
export async function openTrainingData(paths: readonly string[], { reading, signal, onProgress }: OpenTrainingDataOptions): Promise<TrainingData> {
  const stopping = signal && { signal };
  const images: string[] = [];
  for (const path of paths) if (await holdsImages(path)) images.push(path);
  const [only] = images;
  if (reading.imageSize !== undefined && (only === undefined || isIdxFile(only)))
    throw new EspalierError("ARGUMENT_INVALID", `--image-size is for a folder of images, which ${paths.join(", ")} is not; leave it out`, { paths });
  if (only === undefined) return openTableFiles(paths, { reading, ...stopping });
  if (paths.length > 1)
    throw new EspalierError("ARGUMENT_INVALID", `${only} holds images; train on one folder or file of images alone, not on ${paths.length} paths`, {
      paths,
    });
  if (isIdxFile(only)) return openIdxFile(only);
  const { imageSize, imageShape } = reading;
  return openImageFolder(only, {
    ...(imageSize !== undefined && { imageSize }),
    ...(imageShape && { imageShape }),
    ...stopping,
    ...(onProgress && { onProgress }),
  });
}

/** A folder, or a file that says so by its name. */
export async function holdsImages(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined); // what is not there is reported by the one who opens it
  return info?.isDirectory() === true || isIdxFile(path);
}

async function openTableFiles(paths: readonly string[], { reading, signal }: OpenTrainingDataOptions): Promise<TrainingData> {
  const hash = new Sha256();
  const table = await openFiles(paths, reading, { sampleRows: Infinity, onBytes: (bytes) => hash.update(bytes), ...(signal && { signal }) });
  return {
    name: table.name,
    columns: Object.keys(table.schema),
    fingerprint: hash.hex(),
    notes: table.notes,
    read: async () => ({ source: rowSource(await readTable(table)), notes: [] }),
  };
}
