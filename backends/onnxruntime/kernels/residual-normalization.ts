import type { FunctionBuilder, Local } from "../wasm/function-builder.ts";
import type { FunctionSource } from "../wasm/module.ts";
import { addAll, sideBySide, type KernelPlan, type KernelType } from "./host-kernel.ts";
import { eachRows, rowParts } from "./row-parts.ts";

/** A layer normalisation over the last axis. */
export interface NormalizationSetting {
  readonly epsilon: number;
}

/**
 * (branch, bias, round, Scale, B) -> their sum, LayerNormalization's Y, Mean and InvStdDev: rows are added while they are in the cache. Squared distances are
 * from the mean, so that a mean much larger than the deviation costs no digits.
 */
export function planResidualNormalization([branch]: readonly KernelType[], { epsilon }: NormalizationSetting): KernelPlan | undefined {
  const parts = branch && rowParts(branch);
  if (parts === undefined) return undefined;
  const { bytes, height, columns } = parts;
  const source = normalizationFunction(columns, epsilon);
  const row = { offset: 0, bytes: columns * 4 };
  const statistics = Math.ceil(height / 4) * 16;
  return {
    functions: [source],
    writes: [parts.rows * columns, parts.rows * columns, parts.rows, parts.rows],
    scratchBytes: 4 * bytes + 2 * statistics + 3 * row.bytes,
    phases: [
      ({ functions, scratch, read, target, write, share }, [from = 0n, added = 0n, round = 0n, scale = 0n, shift = 0n], outputs) => {
        const [sum = 0n, normal = 0n, mean = 0n, inverse = 0n] = outputs;
        const numbers = scratch + 4 * bytes;
        const rows = numbers + 2 * statistics;
        const [biases, scales, shifts] = [added, scale, shift].map((vector, i) => read(rows + i * row.bytes, vector, row)) as [
          number,
          number,
          number,
        ]; // three
        eachRows(parts, share, ({ row, count, place }) => {
          const some = { offset: row * 4, bytes: count * 4 };
          const [sums, results] = [target(scratch + 2 * bytes, sum, place), target(scratch + 3 * bytes, normal, place)];
          const [means, inverses] = [target(numbers, mean, some), target(numbers + statistics, inverse, some)];
          const [branches, others] = [read(scratch, from, place), read(scratch + bytes, round, place)];
          functions[source.name]?.(branches, others, biases, scales, shifts, sums, results, means, inverses, count);
          write(sum, sums, place);
          write(normal, results, place);
          write(mean, means, some);
          write(inverse, inverses, some);
        });
      },
    ],
  };
}

/** (branch, round, bias, scale, shift, sum, Y, means, inverses, rows) */
function normalizationFunction(columns: number, epsilon: number): FunctionSource {
  return {
    name: `residual normalization ${columns} ${epsilon}`,
    parameters: Array.from({ length: 10 }, () => "i32" as const),
    build(code) {
      const [branch, round, bias, scale, shift, sum, y, means, inverses, rows] = code.take(10);
      const [share, least, one] = code.constants([1 / columns, epsilon, 1]);
      const count = Math.min(sideBySide(columns), 4);
      const totals = Array.from({ length: count }, () => code.local("v128"));
      /** The sum of what is made of each vector of the row. */
      const total = (of: (at: Local, offset: number, sum: Local) => void): Local => {
        for (const each of totals) code.constant(0, each);
        code.loop({ end: columns * 4, step: 16 * count }, (at) => {
          for (const [i, each] of totals.entries()) of(at, i * 16, each);
        });
        return code.sum(addAll(code, totals));
      };
      code.loop({ end: rows, step: 1 }, () => {
        const all = total((at, offset, each) => {
          const own = code.vector("add", [loadAt(code, branch, at, offset), loadAt(code, bias, at, offset)]);
          const value = code.vector("add", [own, loadAt(code, round, at, offset)]);
          code.store(code.int("add", sum, at), offset, value);
          code.vector("add", [each, value], each);
        });
        const mean = code.vector("mul", [all, share]);
        const squares = total((at, offset, each) => {
          const distance = code.vector("sub", [loadAt(code, sum, at, offset), mean]);
          code.vector("multiplyAdd", [distance, distance, each], each);
        });
        const variance = code.vector("multiplyAdd", [squares, share, least]);
        const inverse = code.vector("div", [one, code.vector("sqrt", [variance])]);
        code.loop({ end: columns * 4, step: 16 }, (at) => {
          const normal = code.vector("mul", [code.vector("sub", [loadAt(code, sum, at, 0), mean]), inverse]);
          code.store(code.int("add", y, at), 0, code.vector("multiplyAdd", [normal, loadAt(code, scale, at, 0), loadAt(code, shift, at, 0)]));
        });
        code.storeFirst(means, { count: 1 }, mean);
        code.storeFirst(inverses, { count: 1 }, inverse);
        for (const address of [branch, round, sum, y]) code.int("add", address, columns * 4, address);
        for (const address of [means, inverses]) code.int("add", address, 4, address);
      });
    },
  };
}

function loadAt(code: FunctionBuilder, address: Local, at: Local, offset: number): Local {
  return code.load(code.int("add", address, at), offset);
}
