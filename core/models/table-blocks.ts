import { EspalierError } from "../errors.ts";

/** Some neighbouring columns of a `features` table that belong together: a number (with its indicator of missing ones), or one category's places. */
export interface TableBlock {
  readonly kind: "number" | "category";
  /** Columns of the table. */
  readonly width: number;
}

/** A block and the column that it starts at. */
export interface PlacedBlock extends TableBlock {
  readonly start: number;
}

/**
 * Where each block starts, and how wide the table is.
 *
 * @throws ARGUMENT_INVALID without blocks, or for a width that is no whole number from 1
 */
export function placeBlocks(where: string, blocks: readonly TableBlock[]): { readonly placed: readonly PlacedBlock[]; readonly width: number } {
  if (blocks.length === 0) throw new EspalierError("ARGUMENT_INVALID", `${where}: the table has no blocks; give one for each feature`);
  let width = 0;
  const placed = blocks.map((block) => {
    if (!Number.isSafeInteger(block.width) || block.width < 1) {
      throw new EspalierError("ARGUMENT_INVALID", `${where}: a block's width must be a whole number from 1, not ${block.width}`, { block });
    }
    const start = width;
    width += block.width;
    return { ...block, start };
  });
  return { placed, width };
}
