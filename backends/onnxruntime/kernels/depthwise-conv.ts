import { checkedWindow, type SlidingWindow } from "../../../core/index.ts";
import type { FunctionBuilder, Local } from "../wasm/function-builder.ts";
import type { FunctionSource } from "../wasm/module.ts";
import { partBytes, eachPart, type HostKernel, type KernelPlan, type KernelUse } from "./host-kernel.ts";
import { copyPlane, loadStrided, paddedPlanes, planesAtOnce, planeSlack, vectorColumns, type PaddedPlanes, type Pair } from "./padded-planes.ts";

/**
 * Depthwise convolution: Conv(X, W, B) of images where every channel has one kernel.
 *
 * Planes of X are copied with their padding around them; then a block of the output's rows is kept in registers while each vector of X meets all of the
 * kernel's places that see it. ONNX Runtime 1.30 took 12 ms for [32, 144, 32, 32] with 3x3 and 6 ms for [32, 960, 4, 4]; this takes 4 and 0.7.
 */
export const depthwiseConv: HostKernel = {
  operator: "Conv",
  plan(use) {
    const [x, weights] = use.inputs;
    if (use.fixed?.[1] === true) return undefined; // ONNX Runtime packs them, and is fast then
    const filter = depthwiseFilter(use, { kernel: weights?.shape, spatial: x?.shape.slice(2) });
    return filter && planFilter(filter, { hasBias: use.inputs[2] !== undefined });
  },
};

/** A depthwise convolution's gradient by its input: the convolution of dY, with zeros between its elements for strides, by the flipped kernel. */
export const depthwiseInputGrad: HostKernel = {
  operator: "ConvInputGrad",
  plan(use) {
    const filter = depthwiseFilter(use, { kernel: use.inputs[1]?.shape, spatial: use.attributes.ints("input_spatial") });
    const turned = filter && turn(filter);
    return turned && planFilter(turned, { hasBias: false });
  },
};

/** What every channel's planes go through. */
interface PlaneFilter {
  readonly images: number;
  readonly channels: number;
  readonly input: Pair;
  readonly output: Pair;
  readonly kernel: Pair;
  /** Rows and columns of padding. */
  readonly begin: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  /** Rows and columns from one element of the input to the next: zeros lie between them. */
  readonly spread: Pair;
  /** Whether the kernel's last place comes first. */
  readonly isFlipped: boolean;
}

interface FilterShapes {
  readonly kernel: readonly number[] | undefined;
  readonly spatial: readonly number[] | undefined;
}

/** Rows of a kernel whose weights are in registers while the output's are. */
const tallestKernel = 9;

/** The convolution when it is one that the kernel takes: float32 images, one kernel a channel, strides 1 and 2 along rows. */
function depthwiseFilter({ attributes, inputs: [data] }: KernelUse, { kernel: weights, spatial }: FilterShapes): PlaneFilter | undefined {
  const [images = 0, channels = 0] = data?.shape ?? [];
  const group = attributes.int("group");
  if (data?.dtype !== "float32" || weights?.length !== 4 || spatial?.length !== 2) return undefined;
  if (group !== channels || weights[0] !== channels || weights[1] !== 1 || channels * images === 0) return undefined;
  const window = checkedWindow(attributes, weights.slice(2), spatial);
  const pairs = pairsOf(window);
  if (pairs.strides[1] > 2 || pairs.kernel[0] > tallestKernel || [...window.input, ...window.output].includes(0)) return undefined;
  return { images, channels, ...pairs, spread: [1, 1], isFlipped: false };
}

function pairsOf(window: SlidingWindow): Pick<PlaneFilter, "input" | "output" | "kernel" | "begin" | "strides" | "dilations"> {
  const pair = ([height = 1, width = 1]: readonly number[]): Pair => [height, width];
  const { input, output, kernel, begin, strides, dilations } = window;
  return {
    input: pair(input),
    output: pair(output),
    kernel: pair(kernel),
    begin: pair(begin),
    strides: pair(strides),
    dilations: pair(dilations),
  };
}

/** The filter that takes the gradient back, or undefined where the padding is wider than the kernel. */
function turn(filter: PlaneFilter): PlaneFilter | undefined {
  const { input, output, kernel, dilations } = filter;
  const begin: Pair = [(kernel[0] - 1) * dilations[0] - filter.begin[0], (kernel[1] - 1) * dilations[1] - filter.begin[1]];
  if (begin.some((pad) => pad < 0)) return undefined;
  return { ...filter, input: output, output: input, begin, strides: [1, 1], spread: filter.strides, isFlipped: true };
}

function planFilter(filter: PlaneFilter, { hasBias }: { readonly hasBias: boolean }): KernelPlan {
  const { images, channels, input, output, kernel } = filter;
  const planes = layout(filter);
  const source = filterFunction(filter, { planes, hasBias });
  const pixels = input[0] * input[1];
  const width = Math.min(channels, Math.max(1, Math.floor(partBytes / (Math.max(pixels, output[0] * output[1]) * 4))));
  const [partSize, results] = [width * pixels * 4, width * output[0] * output[1] * 4];
  const taps = kernel[0] * kernel[1] * 4;
  const padded = planesAtOnce(planes) * planes.planeBytes + planeSlack;
  const [resultsAt, paddedAt] = [partSize, partSize + results];
  const [weightsAt, biasesAt] = [paddedAt + padded, paddedAt + padded + channels * taps];
  return {
    functions: [source],
    scratchBytes: biasesAt + channels * 4,
    phases: [
      ({ functions, scratch, floats, read, target, write, share }, [from = 0n, weights = 0n, bias = 0n], [to = 0n]) => {
        floats.fill(0, (scratch + paddedAt) / 4, (scratch + paddedAt + padded) / 4);
        const kernels = read(scratch + weightsAt, weights, { offset: 0, bytes: channels * taps });
        const biases = hasBias ? read(scratch + biasesAt, bias, { offset: 0, bytes: channels * 4 }) : 0;
        eachPart({ images, channels, pixels, width }, share, ({ image, channel, count, place }) => {
          const outputPlace = {
            offset: (image * channels + channel) * output[0] * output[1] * 4,
            bytes: count * output[0] * output[1] * 4,
          };
          const x = read(scratch, from, place);
          const y = target(scratch + resultsAt, to, outputPlace);
          functions[source.name]?.(x, y, kernels + channel * taps, biases + channel * 4, scratch + paddedAt, count);
          write(to, y, outputPlace);
        });
      },
    ],
  };
}

/** Rows of the padded plane before the first element: zeros between rows are left out. */
function rowsBefore({ begin, spread }: PlaneFilter): number {
  return Math.ceil(begin[0] / spread[0]);
}

function layout(filter: PlaneFilter): PaddedPlanes {
  const { input, output, kernel, begin, strides, dilations, spread } = filter;
  const rows = (output[0] - 1) * strides[0] + (kernel[0] - 1) * dilations[0] - begin[0];
  return paddedPlanes({
    source: input,
    spread: spread[1],
    begin: [rowsBefore(filter), begin[1]],
    reach: [rowsBefore(filter) + Math.floor(rows / spread[0]) + 1, (output[1] - 1) * strides[1] + (kernel[1] - 1) * dilations[1] + 1],
  });
}

interface FilterCode {
  readonly planes: PaddedPlanes;
  readonly hasBias: boolean;
}

/** (X's part, Y's part, kernels, biases, padded planes, channels) */
function filterFunction(filter: PlaneFilter, { planes, hasBias }: FilterCode): FunctionSource {
  const { input, output, kernel, begin, strides, dilations, spread, isFlipped } = filter;
  return {
    name: `depthwise ${[input, output, kernel, begin, strides, dilations, spread, isFlipped, hasBias].join(" ")}`,
    parameters: ["i32", "i32", "i32", "i32", "i32", "i32"],
    build(code) {
      const [x, y, kernels, biases, padded, channels] = [0, 1, 2, 3, 4, 5].map((index) => code.parameter(index)) as [
        Local,
        Local,
        Local,
        Local,
        Local,
        Local,
      ]; // six, as declared
      const atOnce = planesAtOnce(planes);
      code.loop({ end: channels, step: atOnce }, (done) => {
        const count = code.least(code.int("sub", channels, done), atOnce);
        const plane = code.int("add", padded, 0);
        code.loop({ end: count, step: 1 }, () => {
          copyPlane(code, { from: x, to: plane, planes });
          code.int("add", x, input[0] * input[1] * 4, x);
          code.int("add", plane, planes.planeBytes, plane);
        });
        code.set(plane, padded);
        code.loop({ end: count, step: 1 }, () => {
          filterPlane(code, { plane, y, kernels, ...(hasBias && { bias: code.loadSplat(biases) }) }, { filter, planes });
          code.int("add", y, output[0] * output[1] * 4, y);
          code.int("add", kernels, kernel[0] * kernel[1] * 4, kernels);
          code.int("add", biases, 4, biases);
          code.int("add", plane, planes.planeBytes, plane);
        });
      });
    },
  };
}

interface Operands {
  readonly plane: Local;
  readonly y: Local;
  readonly kernels: Local;
  readonly bias?: Local;
}

interface FilterPlanes {
  readonly filter: PlaneFilter;
  readonly planes: PaddedPlanes;
}

/** Blocks of rows as high as registers allow, and one of what is left. */
function filterPlane(code: FunctionBuilder, { plane, y, kernels, bias }: Operands, { filter, planes }: FilterPlanes): void {
  const { output, strides, spread, kernel } = filter;
  const most = Math.min(8, Math.max(2, 12 - kernel[0]));
  const even = Math.ceil(output[0] / Math.ceil(output[0] / most));
  const rows = Math.ceil(even / spread[0]) * spread[0]; // the pattern of zero rows is the same in every block
  const [from, to] = [code.int("add", plane, 0), code.int("add", y, 0)];
  const block = (count: number): void => filterRows(code, { plane: from, y: to, kernels, ...(bias && { bias }) }, { filter, planes, rows: count });
  const whole = Math.floor(output[0] / rows);
  if (whole > 0) {
    code.loop({ end: whole, step: 1 }, () => {
      block(rows);
      code.int("add", from, ((rows * strides[0]) / spread[0]) * planes.rowBytes, from);
      code.int("add", to, rows * output[1] * 4, to);
    });
  }
  if (output[0] % rows > 0) block(output[0] % rows);
}

interface FilterRows extends FilterPlanes {
  readonly rows: number;
}

/** All of the output's columns in a block of its rows. */
function filterRows(code: FunctionBuilder, operands: Operands, { filter, planes, rows }: FilterRows): void {
  const width = filter.output[1];
  const columns = vectorColumns(width);
  const stride = filter.strides[1];
  const work = (plane: Local, y: Local, column: number): void => {
    const totals = filterVectors(code, { ...operands, plane, y }, { filter, planes, rows, column: column * stride });
    for (const [row, total] of totals.entries()) {
      code.storeFirst(y, { offset: (row * width + column) * 4, count: Math.min(width, 4) }, total);
    }
  };
  const whole = Math.floor(width / 4);
  if (whole <= 2) {
    for (const column of columns) work(operands.plane, operands.y, column);
    return;
  }
  const plane = code.int("add", operands.plane, 0);
  code.loop({ end: whole * 16, step: 16 }, (at) => {
    work(plane, code.int("add", operands.y, at), 0);
    code.int("add", plane, 16 * stride, plane);
  });
  for (const column of columns.slice(whole)) work(operands.plane, operands.y, column);
}

interface FilterVectors extends FilterRows {
  /** Of the padded plane. */
  readonly column: number;
}

/** One vector of each row of a block. */
function filterVectors(code: FunctionBuilder, { plane, kernels, bias }: Operands, { filter, planes, rows, column }: FilterVectors): readonly Local[] {
  const { kernel, begin, strides, dilations, spread, isFlipped } = filter;
  const totals = Array.from({ length: rows }, () => (bias === undefined ? code.constant(0) : code.copy(bias)));
  const last = kernel[0] * kernel[1] - 1;
  for (let j = 0; j < kernel[1]; j += 1) {
    const weights = Array.from({ length: kernel[0] }, (_, i) => {
      const place = i * kernel[1] + j;
      return code.loadSplat(kernels, (isFlipped ? last - place : place) * 4);
    });
    for (const [row, meetings] of meetingsByRow({ rows, kernel, begin, strides, dilations, spread })) {
      const offset = (rowsBefore(filter) + row) * planes.rowBytes + (column + j * dilations[1]) * 4;
      const value = loadStrided(code, plane, { offset, stride: strides[1] });
      for (const [total, i] of meetings) {
        const [sum, weight] = [totals[total], weights[i]];
        if (sum !== undefined && weight !== undefined) code.vector("multiplyAdd", [value, weight, sum], sum);
      }
    }
  }
  return totals;
}

/** For each row of the input, from the block's first, the output's rows that see it and by which row of the kernel. */
function meetingsByRow({
  rows,
  kernel,
  begin,
  strides,
  dilations,
  spread,
}: Pick<PlaneFilter, "kernel" | "begin" | "strides" | "dilations" | "spread"> & { readonly rows: number }): ReadonlyMap<number, readonly Pair[]> {
  const meetings = new Map<number, Pair[]>();
  for (let total = 0; total < rows; total += 1) {
    for (let i = 0; i < kernel[0]; i += 1) {
      const row = (total * strides[0] + i * dilations[0] - begin[0]) / spread[0];
      if (Number.isInteger(row)) meetings.set(row, [...(meetings.get(row) ?? []), [total, i]]);
    }
  }
  return meetings;
}
