import type { FunctionSource } from "../wasm/module.ts";
import { rangeOf, type HostKernel, type Share } from "./host-kernel.ts";
import { eachRows, rowParts } from "./row-parts.ts";

/**
 * GatherGrad(data, indices, dY) along the first axis: rows of dY added up in the order of the indices, target row after target row, so that threads do
 * not meet and the sums are the same for any number of them.
 */
export const gatherGrad: HostKernel = {
  operator: "GatherGrad",
  plan({ attributes, inputs: [data, indices] }) {
    const rank = data?.shape.length ?? 0;
    const axis = attributes.int("axis");
    const parts =
      data &&
      rowParts(
        data,
        data.shape.slice(1).reduce((a, b) => a * b, 1),
      );
    if (parts === undefined || indices === undefined || rank < 2 || (axis !== 0 && axis !== -rank)) return undefined;
    const count = indices.shape.reduce((a, b) => a * b, 1);
    const words = indices.dtype === "int64" ? 2 : 1; // the lower one of whole numbers that fit says all
    const { rows, columns, bytes } = parts;
    const all = { offset: 0, bytes: count * words * 4 };
    const row = columns * 4;
    const source = addFunction(columns);
    return {
      functions: [source],
      writes: [rows * columns],
      scratchBytes: bytes + row + all.bytes,
      phases: [
        (tools, [, places = 0n, gradient = 0n], [dx = 0n]) => {
          const { functions, scratch, floats, read, target, write, share } = tools;
          const table = new Int32Array(floats.buffer, read(scratch + bytes + row, places, all), count * words);
          const { starts, order, first } = byRow(table, { words, rows, share });
          eachRows(parts, share, ({ row: begin, count: height, place }) => {
            const result = target(scratch, dx, place);
            floats.fill(0, result / 4, result / 4 + height * columns);
            for (let i = 0; i < height; i += 1) {
              const end = starts[begin - first + i + 1] ?? 0;
              for (let at = starts[begin - first + i] ?? 0; at < end; at += 1) {
                const from = read(scratch + bytes, gradient, { offset: (order[at] ?? 0) * row, bytes: row });
                functions[source.name]?.(result + i * row, from);
              }
            }
            write(dx, result, place);
          });
        },
      ],
    };
  },
};

interface Rows {
  readonly words: number;
  readonly rows: number;
  readonly share: Share;
}

interface Sorted {
  /** The share's first row. */
  readonly first: number;
  /** Where each of the share's rows begins in `order`, and where the last one ends. */
  readonly starts: Int32Array;
  /** Numbers of indices. */
  readonly order: Int32Array;
}

/** A share's indices by the row that they name, each row's in their order (counting sort). */
function byRow(table: Int32Array, { words, rows, share }: Rows): Sorted {
  const { begin, end } = rangeOf(share, rows);
  const starts = new Int32Array(end - begin + 2); // counts of each row two places on; then where the next is put, one place on
  const rowOf = (at: number): number => {
    const index = table[at] ?? 0;
    const row = index < 0 ? index + rows : index;
    if (row < 0 || row >= rows) throw new RangeError(`index ${index} is outside the ${rows} rows that are gathered from`);
    return row >= begin && row < end ? row - begin : -1;
  };
  let kept = 0;
  for (let at = 0; at < table.length; at += words) {
    const row = rowOf(at);
    if (row < 0) continue;
    starts[row + 2] = (starts[row + 2] ?? 0) + 1;
    kept += 1;
  }
  for (let row = 2; row < starts.length; row += 1) starts[row] = (starts[row] ?? 0) + (starts[row - 1] ?? 0);
  const order = new Int32Array(kept);
  for (let at = 0; at < table.length; at += words) {
    const row = rowOf(at);
    if (row < 0) continue;
    const place = starts[row + 1] ?? 0;
    order[place] = at / words;
    starts[row + 1] = place + 1;
  }
  return { first: begin, starts, order };
}

/** (to, from): adds a row. */
function addFunction(columns: number): FunctionSource {
  return {
    name: `add ${columns}`,
    parameters: ["i32", "i32"],
    build(code) {
      const [to, from] = code.take(2);
      code.loop({ end: columns * 4, step: 16 }, (at) => {
        const place = code.int("add", to, at);
        code.store(place, 0, code.vector("add", [code.load(place), code.load(code.int("add", from, at))]));
      });
    },
  };
}
