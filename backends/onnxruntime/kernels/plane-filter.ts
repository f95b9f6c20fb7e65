import type { FunctionBuilder, Local } from "../wasm/function-builder.ts";
import type { FunctionSource } from "../wasm/module.ts";
import { normalizer, numberBytes } from "./batch-normalization.ts";
import type { Bounds } from "./bounds.ts";
import { copyPlane, loadStrided, paddedPlanes, planesAtOnce, vectorColumns, type PaddedPlanes } from "./padded-planes.ts";
import type { Pair, PlaneWindow } from "./plane-window.ts";

/** What every channel's planes go through. */
export interface PlaneFilter extends PlaneWindow {
  readonly images: number;
  readonly channels: number;
  /** Rows and columns from one element of the input to the next: zeros lie between them. */
  readonly spread: Pair;
  /** Whether the kernel's last place comes first. */
  readonly isFlipped: boolean;
}

/** Rows of the padded plane before the first element: zeros between rows are left out. */
function rowsBefore({ begin, spread }: PlaneFilter): number {
  return Math.ceil(begin[0] / spread[0]);
}

/** How the planes of X are laid out. */
export function filterLayout(filter: PlaneFilter): PaddedPlanes {
  const { input, output, kernel, begin, strides, dilations, spread } = filter;
  const rows = (output[0] - 1) * strides[0] + (kernel[0] - 1) * dilations[0] - begin[0];
  return paddedPlanes({
    source: input,
    spread: spread[1],
    begin: [rowsBefore(filter), begin[1]],
    reach: [rowsBefore(filter) + Math.floor(rows / spread[0]) + 1, (output[1] - 1) * strides[1] + (kernel[1] - 1) * dilations[1] + 1],
  });
}

/** What a filter's code is written with. */
export interface FilterCode {
  readonly planes: PaddedPlanes;
  readonly hasBias: boolean;
  /** X is normalised as it is read, and kept between bounds. */
  readonly input?: { readonly bounds: Bounds | undefined };
}

/** (X's part, Y's part, kernels, biases, padded planes, numbers to normalise by, channels) */
export function filterFunction(filter: PlaneFilter, { planes, hasBias, input: normalized }: FilterCode): FunctionSource {
  const { input, output, kernel, begin, strides, dilations, spread, isFlipped } = filter;
  return {
    name: `depthwise ${[input, output, kernel, begin, strides, dilations, spread, isFlipped, hasBias].join(" ")} ${JSON.stringify(normalized)}`,
    parameters: ["i32", "i32", "i32", "i32", "i32", "i32", "i32"],
    build(code) {
      const [x, y, kernels, biases, padded, numbers, channels] = code.take(7);
      const normalizes = normalized && normalizer(code, normalized.bounds);
      const atOnce = planesAtOnce(planes);
      code.loop({ end: channels, step: atOnce }, (done) => {
        const count = code.least(code.int("sub", channels, done), atOnce);
        const plane = code.copy(padded);
        code.loop({ end: count, step: 1 }, () => {
          copyPlane(code, { from: x, to: plane, planes, ...(normalizes && { change: normalizes(numbers) }) });
          code.int("add", numbers, numberBytes, numbers);
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
  const [from, to] = [code.copy(plane), code.copy(y)];
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
  const plane = code.copy(operands.plane);
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
