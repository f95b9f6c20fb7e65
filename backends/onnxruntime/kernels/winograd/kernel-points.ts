import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";
import type { FunctionSource } from "../../wasm/module.ts";
import { rangeOf, type KernelPlan, type Share } from "../host-kernel.ts";
import type { Matrix } from "./algorithm.ts";
import { transposeLanes } from "./lanes.ts";
import { LinearCode } from "./linear-code.ts";
import { readPieces, writePieces, type Pieces } from "./pieces.ts";

/** Bytes of transformed kernels that are worked on at a time. */
const partBytes = 512 * 1024;

/** A convolution's kernel [M, C, 3, 3] transformed to [points, M, C]: matrix kernel matrix^T. @param matrix [size, 3] */
export function planKernelToPoints(units: number, channels: number, matrix: Matrix): KernelPlan {
  const layout = layOut(units * channels, matrix.length ** 2);
  const source: FunctionSource = {
    name: `kernel to points ${layout.spacing} ${matrix.length}`,
    parameters: ["i32", "i32", "i32"],
    build(code) {
      const [from, to, vectors] = code.take(3);
      const linear = new LinearCode(code);
      code.loop({ end: vectors, step: 1 }, () => {
        const columns = loadColumns(code, from).map((column) => linear.multiply(matrix, column)); // [3, size]
        const rows = transposed(columns).map((row) => linear.multiply(matrix, row));
        for (const [i, value] of rows.flat().entries()) code.store(to, i * layout.spacing, value);
        code.int("add", from, 4 * 36, from);
        code.int("add", to, 16, to);
      });
    },
  };
  return {
    functions: [source],
    writes: [layout.points * layout.kernels],
    scratchBytes: layout.pointBytes + layout.kernelBytes,
    phases: [
      (tools, [from = 0n], [to = 0n]) => {
        for (const { kernels, points, vectors } of partsOf(layout, tools.share)) {
          const { address } = readPieces(tools, from, kernels, { address: tools.scratch + layout.pointBytes, stride: kernels.bytes });
          tools.functions[source.name]?.(address, tools.scratch, vectors);
          writePieces(tools, to, points, { address: tools.scratch, stride: layout.spacing });
        }
      },
    ],
  };
}

/** The transpose of `planKernelToPoints`: [points, M, C] to [M, C, 3, 3]. @param matrix [3, size] */
export function planPointsToKernel(units: number, channels: number, matrix: Matrix): KernelPlan {
  const size = matrix[0]?.length ?? 0;
  const layout = layOut(units * channels, size ** 2);
  const source: FunctionSource = {
    name: `points to kernel ${size}`,
    parameters: ["i32", "i32", "i32", "i32"],
    build(code) {
      const [from, distance, to, vectors] = code.take(4);
      const linear = new LinearCode(code);
      code.loop({ end: vectors, step: 1 }, () => {
        const point = code.int("add", from, 0);
        const rows = Array.from({ length: size }, () => {
          const inputs = Array.from({ length: size }, () => {
            const value = code.load(point);
            code.int("add", point, distance, point);
            return value;
          });
          return linear.multiply(matrix, inputs);
        }); // [size, 3]
        const columns = transposed(rows).map((column) => linear.multiply(matrix, column)); // [3, 3], columns first
        storeKernels(code, to, transposed(columns).flat());
        code.int("add", from, 16, from);
        code.int("add", to, 4 * 36, to);
      });
    },
  };
  return {
    functions: [source],
    writes: [layout.kernels * 9],
    scratchBytes: layout.pointBytes + layout.kernelBytes,
    phases: [
      (tools, [from = 0n], [to = 0n]) => {
        const kernel = tools.scratch + layout.pointBytes;
        for (const { kernels, points, vectors } of partsOf(layout, tools.share)) {
          const { address, stride } = readPieces(tools, from, points, { address: tools.scratch, stride: layout.spacing });
          tools.functions[source.name]?.(address, stride, kernel, vectors);
          writePieces(tools, to, kernels, { address: kernel, stride: kernels.bytes });
        }
      },
    ],
  };
}

/** How kernels, four to a vector, are cut into parts. */
interface Layout {
  readonly kernels: number;
  readonly points: number;
  /** Kernels in a part. */
  readonly width: number;
  /** How far apart the numbers of two points lie in scratch memory, and what all of them take. */
  readonly spacing: number;
  readonly pointBytes: number;
  readonly kernelBytes: number;
}

function layOut(kernels: number, points: number): Layout {
  const width = Math.min(kernels, Math.floor(partBytes / (points * 64)) * 16);
  const spacing = Math.ceil((width * 4) / 4096) * 4096 + 192; // no two points share a cache set
  return { kernels, points, width, spacing, pointBytes: points * spacing, kernelBytes: width * 36 + 64 };
}

interface KernelPart {
  readonly kernels: Pieces;
  readonly points: Pieces;
  readonly vectors: number;
}

function partsOf({ kernels, points, width }: Layout, share: Share): readonly KernelPart[] {
  const { begin, end } = rangeOf(share, Math.ceil(kernels / width));
  return Array.from({ length: end - begin }, (_, i) => {
    const first = (begin + i) * width;
    const count = Math.min(width, kernels - first);
    return {
      kernels: { count: 1, offset: first * 36, bytes: count * 36, stride: count * 36 },
      points: { count: points, offset: first * 4, bytes: count * 4, stride: kernels * 4 },
      vectors: count / 4,
    };
  });
}

/** Four kernels of 3x3 that follow one another as the columns of one 3x3 square of vectors. */
function loadColumns(code: FunctionBuilder, from: Local): readonly (readonly Local[])[] {
  const load = (offset: number): readonly [Local, Local, Local, Local] => {
    return transposeLanes(
      code,
      [0, 1, 2, 3].map((i) => code.load(from, i * 36 + offset)),
    );
  };
  const [a, b, c, d] = load(0);
  const [e, f, g, h] = load(16);
  const [, , , i] = load(20); // not 32: that would read past the last
  return [
    [a, d, g],
    [b, e, h],
    [c, f, i],
  ];
}

/** Nine vectors as four kernels of nine numbers that follow one another; writes up to 12 bytes past the last. */
function storeKernels(code: FunctionBuilder, to: Local, values: readonly Local[]): void {
  const [first, second] = [transposeLanes(code, values.slice(0, 4)), transposeLanes(code, values.slice(4, 8))];
  const last = values[8] ?? code.constant(0);
  for (const i of [0, 1, 2, 3] as const) {
    code.store(to, i * 36, first[i]);
    code.store(to, i * 36 + 16, second[i]);
    code.store(to, i * 36 + 32, code.shuffle(last, last, [i, i, i, i])); // the next kernel overwrites what is too much
  }
}

function transposed(rows: readonly (readonly Local[])[]): readonly (readonly Local[])[] {
  const [first = []] = rows;
  return first.map((_, i) => rows.flatMap((row) => row[i] ?? []));
}
