import type { SlidingWindow } from "../../../core/index.ts";

/** One axis of a window. */
export interface WindowAxis {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly begin: number;
  readonly end: number;
}

/** A window, one axis at a time. */
export function windowAxes(window: SlidingWindow): readonly WindowAxis[] {
  const of = (values: readonly number[], i: number): number => values[i] ?? 0; // all lists are of the window's rank
  return window.kernel.map((kernel, i) => ({
    input: of(window.input, i),
    output: of(window.output, i),
    kernel,
    stride: of(window.strides, i),
    dilation: of(window.dilations, i),
    begin: of(window.begin, i),
    end: of(window.end, i),
  }));
}

/** The end pads and the output padding with which a transposed convolution gives exactly the window's input from its output. */
export function transposedEnds(window: SlidingWindow): { readonly pads: readonly number[]; readonly outputPadding: readonly number[] } {
  const surplus = windowAxes(window).map(
    ({ input, output, kernel, stride, dilation, begin }) => (output - 1) * stride + dilation * (kernel - 1) + 1 - begin - input,
  );
  return { pads: surplus.map((size) => Math.max(size, 0)), outputPadding: surplus.map((size) => Math.max(-size, 0)) };
}

/** Whether no input element is in two windows. */
export function isDisjoint(window: SlidingWindow): boolean {
  return windowAxes(window).every(({ kernel, stride, dilation }) => kernel === 1 || (dilation === 1 && kernel <= stride));
}

/** The product of sizes. */
export function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}

/** Whether the windows lie side by side from the first element on, without padding; the end may be left over. */
export function tilesFromStart(window: SlidingWindow): boolean {
  return windowAxes(window).every(
    ({ input, output, kernel, stride, dilation, begin }) =>
      kernel === stride && (kernel === 1 || dilation === 1) && begin === 0 && output * kernel <= input,
  );
}
