import type { KernelType } from "../host-kernel.ts";

/** How images are cut into tiles: rows and columns of tiles, each `extent` wide and high and `step` after the last. */
export interface Tiling {
  /** [N, C, H, W] */
  readonly shape: readonly [images: number, channels: number, height: number, width: number];
  readonly step: number;
  /** More than the step where tiles overlap, less where what is between them is not seen. */
  readonly extent: number;
  /** Zeros before the first row and column; what tiles see behind the last are zeros too. */
  readonly begin: readonly [number, number];
  /** Rows and columns of tiles. */
  readonly tiles: readonly [number, number];
}

/** Tiles that are worked on at a time: several whole images, or rows of tiles of one. */
export interface TilePart {
  readonly image: number;
  readonly images: number;
  /** The first row of tiles, and how many. */
  readonly row: number;
  readonly rows: number;
}

/** Bytes of tiles that are worked on at a time: they stay in the second-level cache. */
const partBytes = 640 * 1024;

/** Channels that are worked on at a time, a cache line of them, as vectors. */
export const lineVectors = 4;

/** Whether images can be cut: rows of at least one vector, whole vectors of channels. */
export function isTileable({ dtype, shape: [images = 0, channels = 0, height = 0, width = 0, ...others] }: KernelType): boolean {
  return dtype === "float32" && others.length === 0 && images * height > 0 && channels > 0 && channels % 4 === 0 && width >= 4;
}

/** The parts of a tiling. @param points numbers kept of each tile and channel */
export function tileParts({ shape: [images, channels], tiles: [down, across] }: Tiling, points: number): readonly TilePart[] {
  const rowBytes = across * points * channels * 4;
  const rows = Math.max(1, Math.min(down, Math.floor(partBytes / rowBytes)));
  const together = rows < down ? 1 : Math.max(1, Math.min(images, Math.floor(partBytes / (rowBytes * down))));
  const parts: TilePart[] = [];
  for (let image = 0; image < images; image += together) {
    for (let row = 0; row < down; row += rows) {
      parts.push({ image, images: Math.min(together, images - image), row, rows: Math.min(rows, down - row) });
    }
  }
  return parts;
}

/** The tiles of a part. */
export function tileCount({ tiles: [, across] }: Tiling, { images, rows }: TilePart): number {
  return images * rows * across;
}

/** How far apart lie the numbers of two points of the same tiles in scratch memory: a few lines more than they need, so that they share no cache set. */
export function pointStride(tiling: Tiling, parts: readonly TilePart[], rowsBefore = 0): number {
  const most = Math.max(...parts.map((part) => tileCount(tiling, { ...part, rows: part.rows + rowsBefore })));
  return Math.ceil((most * tiling.shape[1] * 4) / 4096) * 4096 + 192;
}

/** A plane of vectors, each of four channels, with its padding: all that tiles see, and what of the image they do not see. */
export interface PaddedPlane {
  readonly rows: number;
  readonly columns: number;
  /** Columns up to the last tile's end. */
  readonly seenColumns: number;
  readonly rowBytes: number;
  readonly bytes: number;
}

/** The plane that a tiling covers. */
export function paddedPlane({ shape: [, , height, width], step, extent, begin: [top, left], tiles: [down, across] }: Tiling): PaddedPlane {
  const seenColumns = (across - 1) * step + extent;
  const [rows, columns] = [Math.max((down - 1) * step + extent, top + height), Math.max(seenColumns, left + width)];
  return { rows, columns, seenColumns, rowBytes: columns * 16, bytes: rows * columns * 16 };
}

/** The images' rows among the padded plane's rows from `first` to before `end`. */
export function imageRows(
  { shape: [, , height], begin: [top] }: Tiling,
  first: number,
  end: number,
): { readonly first: number; readonly count: number } {
  const inside = (row: number): number => Math.min(Math.max(row - top, 0), height);
  return { first: inside(first), count: inside(end) - inside(first) };
}
