import type { FunctionBuilder, Local } from "../wasm/function-builder.ts";
import type { FunctionSource } from "../wasm/module.ts";
import { partBytes, rangeOf, type KernelPlan, type KernelType, type Place, type Share } from "./host-kernel.ts";
import { columnSums, rowParts } from "./row-parts.ts";

/** Attention's heads: [batch, length, heads size] beside [batch, heads, length, size]. */
interface Heads {
  readonly batch: number;
  readonly heads: number;
  readonly length: number;
  readonly size: number;
}

/** A product [batch, length, heads size] and a row that is added to it, times a number, as [batch, heads, length, size]. */
export function planSplitHeads(y: KernelType | undefined, scale: number): KernelPlan | undefined {
  const shape = headsOf(y);
  if (shape === undefined) return undefined;
  const width = shape.heads * shape.size * 4;
  const source = splitFunction(shape, scale);
  const most = mostRows(shape) * width;
  const row = { offset: 0, bytes: width };
  return {
    functions: [source],
    writes: [placesOf(shape) * shape.size],
    scratchBytes: 2 * most + width,
    phases: [
      ({ functions, scratch, read, target, write, share }, [product = 0n, bias = 0n], [to = 0n]) => {
        const biases = read(scratch + 2 * most, bias, row);
        eachBlock(shape, share, ({ count, rows, blocks }) => {
          const from = read(scratch, product, rows);
          for (const [head, block] of blocks.entries()) {
            const result = target(scratch + most + head * block.bytes, to, block);
            functions[source.name]?.(from + head * shape.size * 4, biases + head * shape.size * 4, result, count);
            write(to, result, block);
          }
        });
      },
    ],
  };
}

/** [batch, heads, length, size] as [batch, length, heads size], and its sum over all rows: the gradient of a row that was added to them. */
export function planMergeHeads(x: KernelType | undefined): KernelPlan | undefined {
  const shape = headsOf(x);
  const columns = shape && shape.heads * shape.size;
  const parts = x && rowParts(x, columns);
  if (shape === undefined || parts === undefined) return undefined;
  const source = mergeFunction(shape);
  const most = mostRows(shape) * parts.columns * 4;
  const totals = columnSums(parts, 1);
  return {
    functions: [source],
    writes: [placesOf(shape) * shape.size, parts.columns],
    scratchBytes: 2 * most,
    sharedBytes: totals.bytes,
    phases: [
      (tools, [from = 0n], [to = 0n]) => {
        const { functions, scratch, read, target, write, share } = tools;
        const sums = totals.begin(tools);
        eachBlock(shape, share, ({ count, rows, blocks }) => {
          const result = target(scratch, to, rows);
          for (const [head, block] of blocks.entries()) {
            const values = read(scratch + most, from, block);
            functions[source.name]?.(values, result + head * shape.size * 4, sums + head * shape.size * 4, count);
          }
          write(to, result, rows);
        });
      },
      totals.finish(1),
    ],
  };
}

function headsOf(type: KernelType | undefined): Heads | undefined {
  const [batch = 0, heads = 0, length = 0, size = 0] = type?.shape ?? [];
  const isThere = type?.dtype === "float32" && type.shape.length === 4 && batch * heads * length * size > 0;
  return isThere && size % 4 === 0 ? { batch, heads, length, size } : undefined;
}

function placesOf({ batch, heads, length }: Heads): number {
  return batch * heads * length;
}

/** Places that are worked on at a time. */
function mostRows({ heads, length, size }: Heads): number {
  return Math.min(length, Math.max(1, Math.floor(partBytes / (heads * size * 4))));
}

/** Calls back for every part of a share: how many places it has, where its rows are, and where each head's are. */
function eachBlock(
  shape: Heads,
  share: Share,
  visit: (part: { readonly count: number; readonly rows: Place; readonly blocks: readonly Place[] }) => void,
): void {
  const { batch, heads, length, size } = shape;
  const height = mostRows(shape);
  const perBatch = Math.ceil(length / height);
  const { begin, end } = rangeOf(share, batch * perBatch);
  for (let part = begin; part < end; part += 1) {
    const image = Math.floor(part / perBatch);
    const first = (part % perBatch) * height;
    const count = Math.min(height, length - first);
    const rows = { offset: (image * length + first) * heads * size * 4, bytes: count * heads * size * 4 };
    const blocks = Array.from({ length: heads }, (_, head): Place => {
      return { offset: ((image * heads + head) * length + first) * size * 4, bytes: count * size * 4 };
    });
    visit({ count, rows, blocks });
  }
}

/** (rows, bias, one head's places, count) */
function splitFunction({ heads, size }: Heads, scale: number): FunctionSource {
  return {
    name: `split ${heads} heads ${size} ${scale}`,
    parameters: ["i32", "i32", "i32", "i32"],
    build(code) {
      const [rows, bias, to, count] = code.take(4);
      const factor = code.constant(scale);
      eachPlace(code, { count, size }, (at) => {
        const value = code.vector("add", [code.load(code.int("add", rows, at)), code.load(code.int("add", bias, at))]);
        code.store(code.int("add", to, at), 0, scale === 1 ? value : code.vector("mul", [value, factor]));
        return [
          [rows, heads * size * 4],
          [to, size * 4],
        ];
      });
    },
  };
}

/** (one head's places, rows, sums, count) */
function mergeFunction({ heads, size }: Heads): FunctionSource {
  return {
    name: `merge ${heads} heads ${size}`,
    parameters: ["i32", "i32", "i32", "i32"],
    build(code) {
      const [from, rows, sums, count] = code.take(4);
      eachPlace(code, { count, size }, (at) => {
        const value = code.load(code.int("add", from, at));
        code.store(code.int("add", rows, at), 0, value);
        const sum = code.int("add", sums, at);
        code.store(sum, 0, code.vector("add", [code.load(sum), value]));
        return [
          [from, size * 4],
          [rows, heads * size * 4],
        ];
      });
    },
  };
}

/** A loop over places and the vectors of each. @param body gives what to move after a place, and how far */
function eachPlace(
  code: FunctionBuilder,
  { count, size }: { readonly count: Local; readonly size: number },
  body: (at: Local) => readonly (readonly [Local, number])[],
): void {
  code.loop({ end: count, step: 1 }, () => {
    let moves: readonly (readonly [Local, number])[] = [];
    code.loop({ end: size * 4, step: 16 }, (at) => {
      moves = body(at);
    });
    for (const [address, bytes] of moves) code.int("add", address, bytes, address);
  });
}
