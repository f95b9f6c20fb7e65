import { EspalierError, type Columns, type RowSource } from "../../../core/index.ts";
import type { ReadRows } from "../training-data.ts";
import { eachOf } from "./each-of.ts";
import type { ImageDecoder, ImageShape } from "./image-decoder.ts";
import type { ImageFile } from "./image-files.ts";

/** What images are read with. */
export interface ReadImagesOptions {
  readonly decoder: ImageDecoder;
  readonly shape: ImageShape;
  /** Whether images without colour keep the shape's channels. Default false. */
  readonly keepChannels?: boolean;
  /** For messages. */
  readonly folder: string;
  /** Default 1 GiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** A folder with a larger share of images that cannot be decoded is refused: something else is wrong. */
const brokenShare = 0.1;

/** Broken images that are named. */
const namedBroken = 3;

/**
 * Decodes every image once, to be sure that it can be, and keeps the bytes while they fit; beyond `maxBytes` images are decoded again when a batch needs them.
 *
 * Coloured files whose images have no colour, all of them, give one channel.
 *
 * @throws DATA_MALFORMED when more than a tenth of the images cannot be decoded; CANCELLED
 */
export async function readImages(files: readonly ImageFile[], options: ReadImagesOptions): Promise<ReadRows> {
  const { decoder, shape, keepChannels = false, folder, maxBytes = 2 ** 30, signal, onProgress } = options;
  const size = shape[0] * shape[1] * shape[2];
  const keeps = files.length * size <= maxBytes;
  const kept = new Uint8Array(keeps ? files.length * size : 0);
  const broken: EspalierError[] = [];
  let coloured = keepChannels;
  const readable = await eachOf(
    files,
    async ({ path }, i) => {
      const pixels = await decoder.decode(path, shape).catch((error: unknown) => {
        if (!(error instanceof EspalierError) || error.code !== "DATA_MALFORMED") throw error;
        broken.push(error);
      });
      if (pixels === undefined) return false;
      coloured ||= hasColour(pixels, shape);
      if (keeps) kept.set(pixels, i * size);
      return true;
    },
    { ...(signal && { signal }), ...(onProgress && { onDone: (done) => onProgress(done, files.length) }) },
  );
  const notes = reportBroken(broken, { folder, total: files.length });
  const rows = files.flatMap((_, i) => (readable[i] === true ? [i] : []));
  const used = rows.map((i) => files[i]!); // rows are indices of files
  const real: ImageShape = coloured ? shape : [1, shape[1], shape[2]];
  const realSize = real[0] * real[1] * real[2];
  // The first plane of an image without colour is all of it.
  const imageAt = (row: number): Uint8Array => kept.subarray(rows[row]! * size, rows[row]! * size + realSize); // rows are below the number of images
  const read = async (indices: readonly number[]): Promise<readonly Uint8Array[]> =>
    keeps ? indices.map(imageAt) : eachOf(indices, (row) => decoder.decode(used[row]!.path, real), { ...(signal && { signal }) }); // as above
  return { source: { ...sourceOf(used, real, read), ...partsOf(used) }, notes };
}

function sourceOf(files: readonly ImageFile[], shape: ImageShape, read: (indices: readonly number[]) => Promise<readonly Uint8Array[]>): RowSource {
  const dictionary = [...new Set(files.map(({ label }) => label ?? ""))];
  const places = new Map(dictionary.map((label, place) => [label, place]));
  const codes = Int32Array.from(files, ({ label }) => places.get(label ?? "") ?? -1);
  const size = shape[0] * shape[1] * shape[2];
  return {
    columns: { length: files.length, columns: new Map([["label", { kind: "string", codes, dictionary }]]) },
    large: { image: { kind: "tensor", shape, dtype: "uint8" } },
    async readRows(indices): Promise<Columns> {
      const values = new Uint8Array(indices.length * size);
      for (const [i, pixels] of (await read([...indices])).entries()) values.set(pixels, i * size);
      return {
        length: indices.length,
        columns: new Map([
          ["image", { kind: "tensor", shape, values }],
          ["label", { kind: "string", codes: Int32Array.from(indices, (row) => codes[row] ?? -1), dictionary }],
        ]),
      };
    },
  };
}

/** The folder's own parts. A part that it lacks is left to `divideRows`. */
function partsOf(files: readonly ImageFile[]): Pick<RowSource, "parts"> {
  const of = (part: ImageFile["part"]): Uint32Array => Uint32Array.from(files.flatMap((file, row) => (file.part === part ? [row] : [])));
  const [train, validation, test] = [of("train"), of("validation"), of("test")];
  if (train.length === 0) return {};
  return { parts: { train, ...(validation.length > 0 && { validation }), ...(test.length > 0 && { test }) } };
}

function hasColour(pixels: Uint8Array, [channels, height, width]: ImageShape): boolean {
  const size = height * width;
  for (let i = size; i < channels * size; i++) if (pixels[i] !== pixels[i % size]) return true;
  return false;
}

function reportBroken(broken: readonly EspalierError[], { folder, total }: { readonly folder: string; readonly total: number }): readonly string[] {
  if (broken.length === 0) return [];
  const named = broken.slice(0, namedBroken).map(({ message }) => message);
  const rest = broken.length > named.length ? ` and ${broken.length - named.length} more` : "";
  const what = `${broken.length} of ${total} images in ${folder} cannot be decoded: ${named.join("; ")}${rest}`;
  if (broken.length > brokenShare * total)
    throw new EspalierError("DATA_MALFORMED", `${what}; mend or remove them`, { broken: broken.length, total });
  return [`${what}; they are left out`];
}
