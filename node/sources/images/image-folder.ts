import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { relative, sep } from "node:path";
import { EspalierError } from "../../../core/index.ts";
import type { TrainingData } from "../training-data.ts";
import { eachOf } from "./each-of.ts";
import { openImageDecoder, type ImageHeader, type ImageShape } from "./image-decoder.ts";
import { listImages, type ImageFile } from "./image-files.ts";
import { readImages } from "./image-rows.ts";

/** How a folder of images is read. */
export interface ImageFolderOptions {
  /** The side of the square that every image becomes; by default from the images. */
  readonly imageSize?: number;
  /** What every image becomes, in place of a size: also images without colour have its channels. */
  readonly imageShape?: ImageShape;
  /** Decoded images up to so many bytes are kept in memory; more are decoded again for every batch. Default 1 GiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /** Told how many images were decoded. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A side that a network trains on in minutes; larger ones are asked for with `imageSize`. */
const largestSide = 64;

/**
 * A folder of images as training data: `image` [channels, side, side] of bytes, and `label`, the name of the folder that an image is in.
 *
 * The side is the median of the images' shorter sides, 64 at most. Images without colour, all of them, have one channel.
 *
 * @throws FILE_UNREADABLE, DATA_EMPTY (see `listImages`); DATA_MALFORMED for images outside a class's folder, and (from `read`) when more than a tenth cannot be decoded
 */
export async function openImageFolder(folder: string, { imageSize, imageShape, signal, ...options }: ImageFolderOptions): Promise<TrainingData> {
  const files = await listImages(folder);
  checkLabels(folder, files);
  const decoder = await openImageDecoder();
  // A header that cannot be read is reported with the images that cannot be decoded.
  const readHeader = async ({ path }: ImageFile): Promise<ImageHeader | undefined> => decoder.readHeader(path).catch(ifMalformed);
  const headers = (await eachOf(files, readHeader, { ...(signal && { signal }) })).filter((header) => header !== undefined);
  const hash = createHash("sha256");
  for (const { path } of files) hash.update(`${relative(folder, path).replaceAll(sep, "/")}\0`).update(await readFile(path));
  const side = imageSize ?? sideOf(headers);
  const shape = imageShape ?? ([headers.every(({ gray }) => gray) ? 1 : 3, side, side] as const);
  const sizes = `a median of ${median(headers.map(({ width }) => width))}x${median(headers.map(({ height }) => height))}`;
  return {
    name: folder,
    columns: ["image", "label"],
    defaultTarget: "label",
    fingerprint: hash.digest("hex"),
    notes:
      imageSize === undefined && imageShape === undefined
        ? [`images are read as ${side}x${side} pixels, from ${sizes}; --image-size takes another size`]
        : [],
    read: () => readImages(files, { ...options, ...(signal && { signal }), decoder, folder, shape, keepChannels: imageShape !== undefined }),
  };
}

/** @returns nothing, for an image that is broken; other failures are thrown on */
export function ifMalformed(error: unknown): undefined {
  if (error instanceof EspalierError && error.code === "DATA_MALFORMED") return undefined;
  throw error;
}

function checkLabels(folder: string, files: readonly ImageFile[]): void {
  const loose = files.filter(({ label }) => label === undefined);
  if (loose[0] === undefined) return;
  throw new EspalierError(
    "DATA_MALFORMED",
    `${folder}: ${loose.length} of ${files.length} images are not in a class's folder, the first is ${loose[0].path}; the layout is ${folder}/<class>/<file>, or train/, validation/ and test/ with such folders`,
    { folder, path: loose[0].path },
  );
}

/** Whole multiples of 8 from 32 on, so that networks can halve them evenly. */
function sideOf(headers: readonly ImageHeader[]): number {
  const side = Math.min(largestSide, median(headers.map(({ width, height }) => Math.min(width, height))));
  return side < 32 ? Math.max(1, side) : side - (side % 8);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
