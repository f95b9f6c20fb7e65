import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";
import type { FunctionSource } from "../../wasm/module.ts";
import { rangeOf, type KernelPlan } from "../host-kernel.ts";
import type { Matrix } from "./algorithm.ts";
import { transposeLanes } from "./lanes.ts";
import { LinearCode } from "./linear-code.ts";
import { readPieces, writePieces } from "./pieces.ts";
import { imageRows, lineVectors, paddedPlane, pointStride, tileCount, tileParts, type TilePart, type Tiling } from "./tiling.ts";

/**
 * Images [N, C, H, W] as transformed tiles [points, N * tiles, C]: matrix tile matrix^T, its points first.
 *
 * Sixteen channels at a time: their planes are transposed to vectors of four channels with zeros around, then every row of tiles is transformed
 * downwards for all its columns, which tiles share, and across. Results are collected for a part and leave in long runs.
 *
 * @param matrix [size, extent of the tiling]
 */
export function planToTiles(tiling: Tiling, matrix: Matrix): KernelPlan {
  const { shape, step, begin, tiles } = tiling;
  const [images, channels, height, width] = shape;
  const size = matrix.length;
  const points = size * size;
  const parts = tileParts(tiling, points);
  const spacing = pointStride(tiling, parts);
  const plane = paddedPlane(tiling);
  const rowsBytes = size * plane.rowBytes;
  const [copy, transform] = [copyFunction(tiling), transformFunction(tiling, matrix, spacing)];
  const planeBytes = height * width * 4;
  const rowsOf = ({ row, rows }: TilePart): ReturnType<typeof imageRows> => imageRows(tiling, row * step, (row + rows - 1) * step + tiling.extent);
  const sourceBytes = Math.max(...parts.map((part) => part.images * channels * rowsOf(part).count * width * 4));
  const total = images * tiles[0] * tiles[1];
  return {
    functions: [copy, transform],
    writes: [points * total * channels],
    scratchBytes: points * spacing + sourceBytes + lineVectors * (plane.bytes + rowsBytes),
    phases: [
      (tools, [from = 0n], [to = 0n]) => {
        const { scratch, functions, floats, share } = tools;
        const source = scratch + points * spacing;
        const planes = source + sourceBytes;
        const buffer = planes + lineVectors * plane.bytes;
        floats.fill(0, planes / 4, buffer / 4);
        const { begin: firstPart, end } = rangeOf(share, parts.length);
        for (const part of parts.slice(firstPart, end)) {
          const rows = rowsOf(part);
          const data = readPieces(
            tools,
            from,
            {
              count: part.images * channels,
              offset: (part.image * channels * height + rows.first) * width * 4,
              bytes: rows.count * width * 4,
              stride: planeBytes,
            },
            { address: source, stride: rows.count * width * 4 },
          );
          for (let image = 0; image < part.images; image += 1) {
            for (let channel = 0; channel < channels; channel += lineVectors * 4) {
              const vectors = Math.min(lineVectors, (channels - channel) / 4);
              const inside = planes + (begin[0] + rows.first) * plane.rowBytes + begin[1] * 16;
              if (rows.count > 0)
                functions[copy.name]?.(data.address + (image * channels + channel) * data.stride, data.stride, inside, rows.count, vectors);
              const target = scratch + (image * part.rows * tiles[1] * channels + channel) * 4;
              functions[transform.name]?.(planes + part.row * step * plane.rowBytes, buffer, target, part.rows, vectors);
            }
          }
          const first = (part.image * tiles[0] + part.row) * tiles[1];
          const bytes = tileCount(tiling, part) * channels * 4;
          writePieces(
            tools,
            to,
            { count: points, offset: first * channels * 4, bytes, stride: total * channels * 4 },
            { address: scratch, stride: spacing },
          );
        }
      },
    ],
  };
}

/** (channels' rows, their distance, inside of the planes, rows, vectors): four channels become one plane of vectors. */
function copyFunction(tiling: Tiling): FunctionSource {
  const width = tiling.shape[3];
  const { rowBytes, bytes } = paddedPlane(tiling);
  return {
    name: `tiles from rows of ${width}, ${rowBytes} ${bytes}`,
    parameters: ["i32", "i32", "i32", "i32", "i32"],
    build(code) {
      const [from, distance, to, rows, vectors] = code.take(5);
      code.loop({ end: vectors, step: 1 }, () => {
        const channels = fourAddresses(code, from, distance);
        const target = code.int("add", to, 0);
        code.loop({ end: rows, step: 1 }, () => {
          eachFour(code, width, { addresses: channels, vectors: target }, (sources, result) => {
            const columns = transposeLanes(
              code,
              sources.map((source) => code.load(source)),
            );
            for (const [i, column] of columns.entries()) code.store(result, i * 16, column);
          });
          for (const channel of channels) code.int("add", channel, width * 4, channel);
          code.int("add", target, rowBytes, target);
        });
        code.int("add", from, code.int("mul", distance, 4), from);
        code.int("add", to, bytes, to);
      });
    },
  };
}

/** The addresses of four channels that lie `distance` apart. */
export function fourAddresses(code: FunctionBuilder, first: Local, distance: Local): readonly Local[] {
  const addresses = [code.int("add", first, 0)];
  for (let i = 1; i < 4; i += 1) addresses.push(code.int("add", addresses[i - 1] ?? first, distance));
  return addresses;
}

/** Visits a row four places at a time; the last four overlap those before where the width is no multiple of four. */
export function eachFour(
  code: FunctionBuilder,
  width: number,
  { addresses, vectors }: { readonly addresses: readonly Local[]; readonly vectors: Local },
  visit: (addresses: readonly Local[], vectors: Local) => void,
): void {
  const at = (offset: Local | number): void => {
    const scaled = typeof offset === "number" ? offset * 4 : code.int("mul", offset, 4);
    visit(
      addresses.map((address) => code.int("add", address, offset)),
      code.int("add", vectors, scaled),
    );
  };
  code.loop({ end: width - (width % 4), step: 4 }, (column) => at(code.int("mul", column, 4)));
  if (width % 4 > 0) at((width - 4) * 4);
}

/** (plane at the first row of tiles, rows' buffer, results, rows of tiles, vectors) */
function transformFunction(tiling: Tiling, matrix: Matrix, spacing: number): FunctionSource {
  const { shape, step, extent, tiles } = tiling;
  const { seenColumns, rowBytes, bytes } = paddedPlane(tiling);
  const size = matrix.length;
  const bufferBytes = size * rowBytes;
  return {
    name: `to tiles ${matrix.join(" ")} ${extent} ${step} ${seenColumns}, ${shape[1]} ${tiles[1]} ${bytes} ${spacing}`,
    parameters: ["i32", "i32", "i32", "i32", "i32"],
    build(code) {
      const [plane, buffer, to, rows, vectors] = code.take(5);
      const linear = new LinearCode(code);
      code.loop({ end: rows, step: 1 }, () => {
        const [above, below] = [code.int("add", plane, 0), code.int("add", buffer, 0)];
        code.loop({ end: vectors, step: 1 }, () => {
          code.loop({ end: seenColumns * 16, step: 16 }, (column) => {
            const [source, target] = [code.int("add", above, column), code.int("add", below, column)];
            const inputs = Array.from({ length: extent }, (_, i) => code.load(source, i * rowBytes));
            for (const [i, value] of linear.multiply(matrix, inputs).entries()) code.store(target, i * rowBytes, value);
          });
          code.int("add", above, bytes, above);
          code.int("add", below, bufferBytes, below);
        });
        const left = code.int("add", buffer, 0);
        code.loop({ end: tiles[1], step: 1 }, () => {
          const [source, target] = [code.int("add", left, 0), code.int("add", to, 0)];
          code.loop({ end: vectors, step: 1 }, () => {
            for (let i = 0; i < size; i += 1) {
              const inputs = Array.from({ length: extent }, (_, j) => code.load(source, i * rowBytes + j * 16));
              for (const [j, value] of linear.multiply(matrix, inputs).entries()) code.store(target, (i * size + j) * spacing, value);
            }
            code.int("add", source, bufferBytes, source);
            code.int("add", target, 16, target);
          });
          code.int("add", left, step * 16, left);
          code.int("add", to, shape[1] * 4, to);
        });
        code.int("add", plane, step * rowBytes, plane);
      });
    },
  };
}
