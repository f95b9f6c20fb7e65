import type { SlidingWindow } from "../../../core/index.ts";

/** Height and width, or rows and columns. */
export type Pair = readonly [number, number];

/** A window over two axes. */
export interface PlaneWindow {
  readonly input: Pair;
  readonly output: Pair;
  readonly kernel: Pair;
  /** Rows and columns of padding before the first element. */
  readonly begin: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
}

/** The window of an operator over two axes, as pairs. */
export function planeWindow({ input, output, kernel, begin, strides, dilations }: SlidingWindow): PlaneWindow {
  return {
    input: pair(input),
    output: pair(output),
    kernel: pair(kernel),
    begin: pair(begin),
    strides: pair(strides),
    dilations: pair(dilations),
  };
}

function pair([height = 1, width = 1]: readonly number[]): Pair {
  return [height, width];
}
