import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { concatColumns, EspalierError, idxColumns, parseIdx, rowSource, type Columns, type IdxArray } from "../../../core/index.ts";
import type { TrainingData } from "../training-data.ts";

/** MNIST's naming, which its successors keep: train-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte. */
const imagesName = /images([-.])idx3([-.]ubyte)?(\.gz)?$/i;

/** Decompressed, a file may hold so much. */
const maxBytes = 2 ** 31 - 1;

/** Whether a path is a file of images in the IDX format, by its name. */
export function isIdxFile(path: string): boolean {
  return imagesName.test(basename(path));
}

/**
 * A file of images in the IDX format as training data. Its labels, and the test images of a training file, are found beside it by their names.
 *
 * @throws FILE_UNREADABLE when the file or its labels are missing; DATA_MALFORMED (see `parseIdx`)
 */
export async function openIdxFile(path: string): Promise<TrainingData> {
  const hash = createHash("sha256");
  const onBytes = (bytes: Uint8Array): void => void hash.update(bytes);
  const train = await readIdxFile(path, { labels: "needed", onBytes });
  const testPath = basename(path).startsWith("train-") ? await findBeside(path, basename(path).replace(/^train-/, "t10k-")) : undefined;
  const test = testPath === undefined ? undefined : await readIdxFile(testPath, { labels: "needed", onBytes });
  const rows = (start: number, count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => start + i);
  return {
    name: path,
    columns: ["image", "label"],
    defaultTarget: "label",
    fingerprint: hash.digest("hex"),
    notes: testPath === undefined ? [] : [`${testPath} beside it is the test part`],
    async read() {
      const source = rowSource(test === undefined ? train : concatColumns([train, test]));
      const parts = test && { train: rows(0, train.length), test: rows(train.length, test.length) };
      return { source: parts === undefined ? source : { ...source, parts }, notes: [] };
    },
  };
}

/** How a file is read. */
export interface ReadIdxOptions {
  /** Whether rows without labels will do. */
  readonly labels: "needed" | "if there";
  /** Sees the bytes as they are stored. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

/** A file of images, with the labels beside it. @throws as `openIdxFile` */
export async function readIdxFile(path: string, { labels, onBytes }: ReadIdxOptions): Promise<Columns> {
  const images = await readArray(path, onBytes);
  const name = basename(path).replace(/images([-.])idx3/i, "labels$1idx1");
  const labelsPath = await findBeside(path, name);
  if (labelsPath === undefined && labels === "needed") {
    throw new EspalierError("FILE_UNREADABLE", `${path} has no labels beside it: ${join(dirname(path), name)} is missing`, { path });
  }
  return idxColumns(images, { name: path, ...(labelsPath !== undefined && { labels: await readArray(labelsPath, onBytes) }) });
}

/** A file of that name in the same folder, with or without `.gz`. */
async function findBeside(path: string, name: string): Promise<string | undefined> {
  for (const candidate of [name, `${name}.gz`, name.replace(/\.gz$/i, "")]) {
    const found = join(dirname(path), candidate);
    const info = await stat(found).catch(() => undefined); // absent is an answer here
    if (info?.isFile() === true) return found;
  }
  return undefined;
}

async function readArray(path: string, onBytes?: (bytes: Uint8Array) => void): Promise<IdxArray> {
  const stored = await readFile(path).catch((cause: unknown) => {
    throw new EspalierError("FILE_UNREADABLE", `cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { path }, { cause });
  });
  onBytes?.(stored);
  const zipped = stored[0] === 0x1f && stored[1] === 0x8b;
  const bytes = zipped
    ? await promisify(gunzip)(stored, { maxOutputLength: maxBytes }).catch((cause: unknown) => {
        throw new EspalierError(
          "DATA_MALFORMED",
          `${path} is not readable gzip: ${cause instanceof Error ? cause.message : String(cause)}`,
          { path },
          { cause },
        );
      })
    : stored;
  return parseIdx(bytes, path);
}
