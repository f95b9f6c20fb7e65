import { stat } from "node:fs/promises";
import {
  EspalierError,
  sliceRows,
  type Column,
  type Columns,
  type Dataset,
  type DatasetState,
  type Manifest,
  type OpenedTable,
  type Schema,
} from "../../../core/index.ts";
import { eachOf } from "./each-of.ts";
import { isIdxFile, readIdxFile } from "./idx-files.ts";
import { openImageDecoder, type ImageShape } from "./image-decoder.ts";
import { isImageFile, listImages, type ImageFile } from "./image-files.ts";

/** Images of one chunk. */
const chunkImages = 64;

/** The column that says which file a row came from. */
export const fileColumn = "file";

/** Which images are asked about. */
export interface ImageInputs {
  readonly paths: readonly string[];
  /** Whether the folders' names are needed as the target. */
  readonly withTarget: boolean;
  readonly signal?: AbortSignal;
}

/** Whether these paths hold images: folders, image files and IDX files. */
export async function areImages(paths: readonly string[]): Promise<boolean> {
  const found = await Promise.all(paths.map(async (path) => isImageFile(path) || isIdxFile(path) || (await isFolder(path))));
  return found.includes(true);
}

/**
 * Images as a table for a bundle: its image column in the shape and range that it was trained on, the column `file`, and the target where folders say it.
 *
 * @throws COLUMN_MISSING when the model takes other columns than one image; DATA_MALFORMED for an image that cannot be decoded (a row must not be lost)
 */
export async function openImageInputs({ inputs, features, target }: Manifest, { paths, withTarget, signal }: ImageInputs): Promise<OpenedTable> {
  const [field] = inputs;
  const [feature] = features.features;
  if (field === undefined || inputs.length !== 1 || feature?.kind !== "image") {
    const names = inputs.map(({ name }) => `"${name}"`).join(", ");
    throw new EspalierError("COLUMN_MISSING", `the model takes ${names}, not images; give it a file with these columns`, { paths });
  }
  const [idx] = paths;
  if (idx !== undefined && paths.length === 1 && isIdxFile(idx))
    return idxTable(await readIdxFile(idx, { labels: withTarget ? "needed" : "if there" }), { name: idx, image: field.name, target: target.column });
  const files: ImageFile[] = [];
  for (const path of paths) files.push(...((await isFolder(path)) ? await listImages(path) : [{ path, part: undefined, label: undefined }]));
  const loose = files.find(({ label }) => label === undefined);
  if (withTarget && loose !== undefined)
    throw new EspalierError("COLUMN_MISSING", `${loose.path} is in no class's folder: its "${target.column}" is not known`, { path: loose.path });
  const { shape, scale } = feature;
  const decoder = await openImageDecoder();
  const stopping = signal && { signal };
  const readChunk = async (start: number): Promise<Columns> => {
    const chunk = files.slice(start, start + chunkImages);
    const pixels = await eachOf(chunk, ({ path }) => decoder.decode(path, shape), { ...stopping });
    const columns = new Map<string, Column>([
      [field.name, imageColumn(pixels, { shape, scale })],
      [fileColumn, strings(chunk.map(({ path }) => path))],
    ]);
    if (loose === undefined) columns.set(target.column, strings(chunk.map(({ label }) => label ?? "")));
    return { length: chunk.length, columns };
  };
  const schema: Schema = {
    [field.name]: { kind: "tensor", shape },
    [fileColumn]: { kind: "string" },
    ...(loose === undefined && { [target.column]: { kind: "string" as const } }),
  };
  return { ...chunked(files.length, readChunk), name: paths.join(", "), schema, notes: [] };
}

/** Bytes as the model's raw values: 0 to 255 where it divides by 255, else scaled to its own range. */
function imageColumn(pixels: readonly Uint8Array[], { shape, scale }: { readonly shape: ImageShape; readonly scale: number }): Column {
  const size = shape[0] * shape[1] * shape[2];
  const bytes = new Uint8Array(pixels.length * size);
  for (const [i, image] of pixels.entries()) bytes.set(image, i * size);
  return { kind: "tensor", shape, values: scale === 1 / 255 ? bytes : Float32Array.from(bytes, (byte) => byte / 255 / scale) };
}

/** Images and labels under the model's names. */
function idxTable(
  { length, columns }: Columns,
  { name, image, target }: { readonly name: string; readonly image: string; readonly target: string },
): OpenedTable {
  const [pixels, labels] = [columns.get("image"), columns.get("label")];
  const renamed = new Map<string, Column>();
  if (pixels !== undefined) renamed.set(image, pixels);
  if (labels !== undefined) renamed.set(target, labels);
  const table = { length, columns: renamed };
  const schema: Schema = {
    ...(pixels?.kind === "tensor" && { [image]: { kind: "tensor" as const, shape: pixels.shape } }),
    ...(labels && { [target]: { kind: "number" as const } }),
  };
  return { ...chunked(length, async (start) => sliceRows(table, start, Math.min(length, start + chunkImages * 16))), name, schema, notes: [] };
}

/** A data set of chunks that are made when they are asked for. State: {row}. */
function chunked(rows: number, read: (start: number) => Promise<Columns>): Dataset<Columns> {
  const iterate: Dataset<Columns>["iterate"] = (state?: DatasetState) => {
    let row = typeof state?.["row"] === "number" ? state["row"] : 0;
    return {
      state: () => ({ row }),
      async next() {
        if (row >= rows) return { done: true, value: undefined };
        const value = await read(row);
        row += value.length;
        return { done: false, value };
      },
      return: async () => ({ done: true, value: undefined }),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  };
  return { rows, iterate, [Symbol.asyncIterator]: () => iterate() };
}

function strings(values: readonly string[]): Column {
  const dictionary = [...new Set(values)];
  const places = new Map(dictionary.map((value, place) => [value, place]));
  return { kind: "string", codes: Int32Array.from(values, (value) => places.get(value) ?? -1), dictionary };
}

async function isFolder(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined); // what is not there is reported by the one who opens it
  return info?.isDirectory() === true;
}
