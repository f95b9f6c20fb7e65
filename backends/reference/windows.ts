/** A sliding window over spatial axes, as convolutions and pools have them. All lists have one entry an axis. */
export interface WindowOptions {
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly output: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before the first element of each axis. */
  readonly begins: readonly number[];
}

/** Which input element each tap of the kernel sees at each output position. */
export interface Windows {
  /** The number of kernel elements. */
  readonly taps: number;
  /** The number of output positions. */
  readonly positions: number;
  /** The number of input positions. */
  readonly inputs: number;
  /** [taps, positions]: the input position, or -1 in the padding. */
  readonly source: Int32Array;
}

/**
 * The table behind every convolution and pool, forwards and backwards: output position p of axis a sees, at tap t, the input position
 * `p * stride - begin + t * dilation`. Kernels then are plain loops over the table, whatever the number of axes.
 */
export function windowsOf({ input, kernel, output, strides, dilations, begins }: WindowOptions): Windows {
  let table: Windows = { taps: 1, positions: 1, inputs: 1, source: new Int32Array(1) };
  for (const [axis, inputSize] of input.entries()) {
    table = extend(table, inputSize, {
      kernelSize: kernel[axis] ?? 1,
      outputSize: output[axis] ?? 1,
      stride: strides[axis] ?? 1,
      dilation: dilations[axis] ?? 1,
      begin: begins[axis] ?? 0,
    });
  }
  return table;
}

interface AxisWindow {
  readonly kernelSize: number;
  readonly outputSize: number;
  readonly stride: number;
  readonly dilation: number;
  readonly begin: number;
}

/** The table of the axes so far with one more, faster-running axis. */
function extend(outer: Windows, inputSize: number, { kernelSize, outputSize, stride, dilation, begin }: AxisWindow): Windows {
  const taps = outer.taps * kernelSize;
  const positions = outer.positions * outputSize;
  const source = new Int32Array(taps * positions).fill(-1);
  for (let outerTap = 0; outerTap < outer.taps; outerTap += 1) {
    for (let tap = 0; tap < kernelSize; tap += 1) {
      const row = (outerTap * kernelSize + tap) * positions;
      for (let outerPosition = 0; outerPosition < outer.positions; outerPosition += 1) {
        const base = outer.source[outerTap * outer.positions + outerPosition]!;
        for (let position = 0; position < outputSize; position += 1) {
          const at = position * stride - begin + tap * dilation;
          if (base >= 0 && at >= 0 && at < inputSize) source[row + outerPosition * outputSize + position] = base * inputSize + at;
        }
      }
    }
  }
  return { taps, positions, inputs: outer.inputs * inputSize, source };
}
