import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";

/** Four vectors as the rows of a square, and its columns as four vectors. */
export function transposeLanes(code: FunctionBuilder, rows: readonly Local[]): readonly [Local, Local, Local, Local] {
  const [a, b, c, d] = rows;
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new RangeError(`${rows.length} rows of four`);
  const [low, high] = [code.shuffle(a, b, [0, 4, 1, 5]), code.shuffle(a, b, [2, 6, 3, 7])];
  const [low2, high2] = [code.shuffle(c, d, [0, 4, 1, 5]), code.shuffle(c, d, [2, 6, 3, 7])];
  return [
    code.shuffle(low, low2, [0, 1, 4, 5]),
    code.shuffle(low, low2, [2, 3, 6, 7]),
    code.shuffle(high, high2, [0, 1, 4, 5]),
    code.shuffle(high, high2, [2, 3, 6, 7]),
  ];
}
