import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";
import type { FunctionSource } from "../../wasm/module.ts";
import { rangeOf, type KernelPlan } from "../host-kernel.ts";
import type { Matrix } from "./algorithm.ts";
import { transposeLanes } from "./lanes.ts";
import { LinearCode } from "./linear-code.ts";
import { readPieces, writePieces } from "./pieces.ts";
import { imageRows, lineVectors, paddedPlane, pointStride, tileCount, tileParts, type TilePart, type Tiling } from "./tiling.ts";
import { eachFour, fourAddresses } from "./to-tiles.ts";

/**
 * Tiles [points, N * tiles, C] as images [N, C, H, W]: matrix tile matrix^T, added up where tiles overlap. The transpose of `planToTiles` with the
 * transposed matrix, and of the same order.
 *
 * @param matrix [extent of the tiling, size]
 */
export function planFromTiles(tiling: Tiling, matrix: Matrix): KernelPlan {
  const { shape, step, begin, tiles, extent } = tiling;
  const [images, channels, height, width] = shape;
  const size = matrix[0]?.length ?? 0;
  const [points, overlap] = [size * size, Math.max(extent - step, 0)];
  const reach = Math.ceil(overlap / step); // rows of tiles above that reach into one
  const parts = tileParts(tiling, points);
  const spacing = pointStride(tiling, parts, reach);
  const plane = paddedPlane(tiling);
  const [transform, copy] = [transformFunction(tiling, matrix), copyFunction(tiling)];
  const planeBytes = height * width * 4;
  const rowsOf = ({ row, rows }: TilePart): ReturnType<typeof imageRows> => {
    return imageRows(tiling, row * step, row + rows === tiles[0] ? plane.rows : (row + rows) * step);
  };
  const resultBytes = Math.max(...parts.map((part) => part.images * channels * rowsOf(part).count * width * 4));
  const total = images * tiles[0] * tiles[1];
  return {
    functions: [transform, copy],
    writes: [images * channels * height * width],
    scratchBytes: points * spacing + resultBytes + lineVectors * (plane.bytes + size * plane.rowBytes),
    phases: [
      (tools, [from = 0n], [to = 0n]) => {
        const { scratch, functions, floats, share } = tools;
        const result = scratch + points * spacing;
        const planes = result + resultBytes;
        const buffer = planes + lineVectors * plane.bytes;
        floats.fill(0, planes / 4, (buffer + lineVectors * size * plane.rowBytes) / 4); // what no tile reaches stays zero
        const { begin: firstPart, end } = rangeOf(share, parts.length);
        for (const part of parts.slice(firstPart, end)) {
          const before = Math.min(reach, part.row);
          const [row, count] = [part.row - before, part.rows + before];
          const first = (part.image * tiles[0] + row) * tiles[1];
          const bytes = tileCount(tiling, { ...part, rows: count }) * channels * 4;
          const pieces = { count: points, offset: first * channels * 4, bytes, stride: total * channels * 4 };
          const data = readPieces(tools, from, pieces, { address: scratch, stride: spacing });
          const rows = rowsOf(part);
          const rowsBytes = rows.count * width * 4;
          const start = planes + row * step * plane.rowBytes;
          for (let image = 0; image < part.images; image += 1) {
            for (let channel = 0; channel < channels; channel += lineVectors * 4) {
              const vectors = Math.min(lineVectors, (channels - channel) / 4);
              for (let i = 0; i < vectors; i += 1) {
                const floatsBefore = (start + i * plane.bytes) / 4;
                floats.fill(0, floatsBefore, floatsBefore + (overlap * plane.rowBytes) / 4);
              }
              functions[transform.name]?.(
                data.address + (image * count * tiles[1] * channels + channel) * 4,
                data.stride,
                buffer,
                start,
                count,
                vectors,
              );
              const inside = planes + (begin[0] + rows.first) * plane.rowBytes + begin[1] * 16;
              if (rows.count > 0) functions[copy.name]?.(inside, result + (image * channels + channel) * rowsBytes, rowsBytes, rows.count, vectors);
            }
          }
          writePieces(
            tools,
            to,
            {
              count: part.images * channels,
              offset: (part.image * channels * height + rows.first) * width * 4,
              bytes: rowsBytes,
              stride: planeBytes,
            },
            { address: result, stride: rowsBytes },
          );
        }
      },
    ],
  };
}

/** (tiles, distance of their points, rows' buffer, plane at the first row of tiles, rows of tiles, vectors) */
function transformFunction(tiling: Tiling, matrix: Matrix): FunctionSource {
  const { shape, step, extent, tiles } = tiling;
  const { seenColumns, rowBytes, bytes } = paddedPlane(tiling);
  const [size, overlap] = [matrix[0]?.length ?? 0, Math.max(extent - step, 0)];
  const bufferBytes = size * rowBytes;
  return {
    name: `from tiles ${matrix.join(" ")} ${extent} ${step} ${seenColumns}, ${shape[1]} ${tiles[1]} ${bytes}`,
    parameters: ["i32", "i32", "i32", "i32", "i32", "i32"],
    build(code) {
      const [from, distance, buffer, plane, rows, vectors] = code.take(6);
      const linear = new LinearCode(code);
      const zero = code.constant(0);
      code.loop({ end: rows, step: 1 }, () => {
        if (overlap > 0) {
          const row = code.int("add", buffer, 0);
          code.loop({ end: vectors, step: 1 }, () => {
            for (let i = 0; i < size; i += 1) for (let k = 0; k < overlap; k += 1) code.store(row, i * rowBytes + k * 16, zero);
            code.int("add", row, bufferBytes, row);
          });
        }
        const left = code.int("add", buffer, 0);
        code.loop({ end: tiles[1], step: 1 }, () => {
          const [source, target] = [code.int("add", from, 0), code.int("add", left, 0)];
          code.loop({ end: vectors, step: 1 }, () => {
            const point = code.int("add", source, 0);
            for (let i = 0; i < size; i += 1) {
              const inputs = Array.from({ length: size }, () => {
                const value = code.load(point);
                code.int("add", point, distance, point);
                return value;
              });
              accumulate(code, linear.multiply(matrix, inputs), { address: target, offset: i * rowBytes, distance: 16, overlap });
            }
            code.int("add", source, 16, source);
            code.int("add", target, bufferBytes, target);
          });
          code.int("add", left, step * 16, left);
          code.int("add", from, shape[1] * 4, from);
        });
        const [above, below] = [code.int("add", buffer, 0), code.int("add", plane, 0)];
        code.loop({ end: vectors, step: 1 }, () => {
          code.loop({ end: seenColumns * 16, step: 16 }, (column) => {
            const [source, target] = [code.int("add", above, column), code.int("add", below, column)];
            const inputs = Array.from({ length: size }, (_, i) => code.load(source, i * rowBytes));
            accumulate(code, linear.multiply(matrix, inputs), { address: target, offset: 0, distance: rowBytes, overlap });
          });
          code.int("add", above, bufferBytes, above);
          code.int("add", below, bytes, below);
        });
        code.int("add", plane, step * rowBytes, plane);
      });
    },
  };
}

interface Accumulation {
  readonly address: Local;
  readonly offset: number;
  /** From one value's place to the next one's. */
  readonly distance: number;
  /** The first values are added to what is there, the others stored. */
  readonly overlap: number;
}

function accumulate(code: FunctionBuilder, values: readonly Local[], { address, offset, distance, overlap }: Accumulation): void {
  for (const [i, value] of values.entries()) {
    const at = offset + i * distance;
    code.store(address, at, i < overlap ? code.vector("add", [value, code.load(address, at)]) : value);
  }
}

/** (inside of the planes, channels' rows, their distance, rows, vectors): a plane of vectors becomes four channels. */
function copyFunction(tiling: Tiling): FunctionSource {
  const width = tiling.shape[3];
  const { rowBytes, bytes } = paddedPlane(tiling);
  return {
    name: `tiles to rows of ${width}, ${rowBytes} ${bytes}`,
    parameters: ["i32", "i32", "i32", "i32", "i32"],
    build(code) {
      const [from, to, distance, rows, vectors] = code.take(5);
      code.loop({ end: vectors, step: 1 }, () => {
        const channels = fourAddresses(code, to, distance);
        const source = code.int("add", from, 0);
        code.loop({ end: rows, step: 1 }, () => {
          eachFour(code, width, { addresses: channels, vectors: source }, (targets, values) => {
            const columns = [0, 1, 2, 3].map((i) => code.load(values, i * 16));
            for (const [i, row] of transposeLanes(code, columns).entries()) code.store(targets[i] ?? to, 0, row);
          });
          for (const channel of channels) code.int("add", channel, width * 4, channel);
          code.int("add", source, rowBytes, source);
        });
        code.int("add", to, code.int("mul", distance, 4), to);
        code.int("add", from, bytes, from);
      });
    },
  };
}
