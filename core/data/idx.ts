import type { Columns, Column } from "../columns.ts";
import { EspalierError } from "../errors.ts";

/** Bytes of an IDX file, with the sizes that its header tells. */
export interface IdxArray {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Uint8Array;
}

/** The one element type of image and label files: unsigned bytes. */
const unsignedByte = 0x08;

/**
 * Reads an array of unsigned bytes in the IDX format: what MNIST, Fashion-MNIST, EMNIST and their like are stored in.
 *
 * @param bytes the whole file, decompressed; the array shares its memory
 * @param name for messages
 * @throws DATA_MALFORMED for another format or element type, or when header and size disagree
 * @see http://yann.lecun.com/exdb/mnist/ (the section "file formats")
 */
export function parseIdx(bytes: Uint8Array, name: string): IdxArray {
  const refuse = (problem: string): never => {
    throw new EspalierError("DATA_MALFORMED", `${name} is not an IDX file of unsigned bytes: ${problem}`, { source: name });
  };
  const [first = -1, second = -1, type = -1, rank = 0] = bytes;
  if (first !== 0 || second !== 0) refuse("it must begin with two zero bytes");
  if (type !== unsignedByte) refuse(`its element type is 0x${type.toString(16).padStart(2, "0")}, not 0x08`);
  const header = 4 + 4 * rank;
  if (rank < 1 || rank > 4 || bytes.length < header) refuse(`its header says ${rank} dimensions in ${bytes.length} bytes; 1 to 4 are read`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== bytes.length - header) refuse(`its header says [${shape.join(", ")}], ${count} bytes, but ${bytes.length - header} follow`);
  return { shape, data: bytes.subarray(header) };
}

/**
 * A file of images, and perhaps one of their labels, as a table: `image` [1, height, width] of bytes and `label`, a number.
 *
 * @throws DATA_MALFORMED when the arrays are not [rows, height, width] and [rows]
 */
export function idxColumns(images: IdxArray, { labels, name }: { readonly labels?: IdxArray; readonly name: string }): Columns {
  const [rows = 0, height = 0, width = 0] = images.shape;
  if (images.shape.length !== 3 || height < 1 || width < 1)
    throw new EspalierError("DATA_MALFORMED", `${name} must hold images [rows, height, width], not [${images.shape.join(", ")}]`, {
      shape: images.shape,
    });
  const columns = new Map<string, Column>([["image", { kind: "tensor", shape: [1, height, width], values: images.data }]]);
  if (labels !== undefined) {
    if (labels.shape.length !== 1 || labels.shape[0] !== rows) {
      throw new EspalierError("DATA_MALFORMED", `${name} has ${rows} images, but its labels are [${labels.shape.join(", ")}]`, {
        rows,
        labels: labels.shape,
      });
    }
    columns.set("label", { kind: "number", values: Float64Array.from(labels.data) });
  }
  return { length: rows, columns };
}
