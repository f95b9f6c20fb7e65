import { mostShares, partBytes, rangeOf, type KernelTools, type KernelType, type Phase, type Place, type Share } from "./host-kernel.ts";

/** Rows of floats as parts that lie together in memory. */
export interface RowParts {
  readonly rows: number;
  readonly columns: number;
  /** Rows in a part. */
  readonly height: number;
  /** Bytes of a part. */
  readonly bytes: number;
}

/** How a tensor is cut into rows of `columns`, or undefined when they are not whole vectors of floats. */
export function rowParts({ dtype, shape }: KernelType, columns: number | undefined = shape.at(-1)): RowParts | undefined {
  const size = shape.reduce((a, b) => a * b, 1);
  if (dtype !== "float32" || columns === undefined || size === 0 || columns % 4 !== 0) return undefined;
  const height = Math.max(1, Math.floor(partBytes / (columns * 4)));
  return { rows: size / columns, columns, height, bytes: Math.min(height, size / columns) * columns * 4 };
}

/** Calls back for every part of a share: its first row, how many it has, and its place in the tensor. */
export function eachRows(
  { rows, columns, height }: RowParts,
  share: Share,
  visit: (part: { readonly row: number; readonly count: number; readonly place: Place }) => void,
): void {
  const { begin, end } = rangeOf(share, rows);
  for (let row = begin; row < end; row += height) {
    const count = Math.min(height, end - row);
    visit({ row, count, place: { offset: row * columns * 4, bytes: count * columns * 4 } });
  }
}

/** Sums over rows that every share makes of its own rows, in memory that all see. */
export interface ColumnSums {
  readonly bytes: number;
  /** Where a share adds up: `count` times `columns` floats, zero at first. */
  begin(tools: KernelTools): number;
  /** The last phase: the shares' sums together to the outputs from number `first` on. */
  finish(first: number): Phase;
}

/** `count` sums for each column. */
export function columnSums({ columns }: RowParts, count: number): ColumnSums {
  const length = count * columns;
  const all = { offset: 0, bytes: columns * 4 };
  return {
    bytes: length * 4 * mostShares,
    begin({ shared, floats, share }) {
      const place = shared + share.index * length * 4;
      floats.fill(0, place / 4, place / 4 + length);
      return place;
    },
    finish: (first) => {
      return ({ shared, floats, write, share }, _inputs, outputs) => {
        if (share.index > 0) return;
        const place = shared / 4;
        for (let other = 1; other < share.count; other += 1) {
          for (let i = 0; i < length; i += 1) floats[place + i] = (floats[place + i] ?? 0) + (floats[place + other * length + i] ?? 0);
        }
        for (let i = 0; i < count; i += 1) write(outputs[first + i] ?? 0n, shared + i * columns * 4, all);
      };
    },
  };
}
