import type { FunctionSource } from "../wasm/module.ts";
import { addAll, sideBySide, type KernelPlan, type KernelType } from "./host-kernel.ts";
import { eachRows, rowParts } from "./row-parts.ts";

/** Y = softmax along the last axis, and dY, to dX = Y (dY - sum(dY Y)), row after row while it is in the cache. */
export function planSoftmaxGrad([y]: readonly KernelType[]): KernelPlan | undefined {
  const parts = y && rowParts(y);
  if (parts === undefined) return undefined;
  const source = softmaxGradFunction(parts.columns);
  return {
    functions: [source],
    writes: [parts.rows * parts.columns],
    scratchBytes: 3 * parts.bytes,
    phases: [
      ({ functions, scratch, read, target, write, share }, [from = 0n, gradient = 0n], [dx = 0n]) => {
        eachRows(parts, share, ({ count, place }) => {
          const result = target(scratch + 2 * parts.bytes, dx, place);
          functions[source.name]?.(read(scratch, from, place), read(scratch + parts.bytes, gradient, place), result, count);
          write(dx, result, place);
        });
      },
    ],
  };
}

/** (Y, dY, dX, rows) */
function softmaxGradFunction(columns: number): FunctionSource {
  return {
    name: `softmax gradient ${columns}`,
    parameters: ["i32", "i32", "i32", "i32"],
    build(code) {
      const [y, dy, dx, rows] = code.take(4);
      const count = Math.min(sideBySide(columns), 4);
      const totals = Array.from({ length: count }, () => code.local("v128"));
      code.loop({ end: rows, step: 1 }, () => {
        for (const total of totals) code.constant(0, total);
        code.loop({ end: columns * 4, step: 16 * count }, (at) => {
          const [values, gradients] = [code.int("add", y, at), code.int("add", dy, at)];
          for (const [i, total] of totals.entries()) {
            code.vector("multiplyAdd", [code.load(values, i * 16), code.load(gradients, i * 16), total], total);
          }
        });
        const sum = code.sum(addAll(code, totals));
        code.loop({ end: columns * 4, step: 16 * count }, (at) => {
          const [values, gradients, results] = [code.int("add", y, at), code.int("add", dy, at), code.int("add", dx, at)];
          for (let i = 0; i < count; i += 1) {
            const distance = code.vector("sub", [code.load(gradients, i * 16), sum]);
            code.store(results, i * 16, code.vector("mul", [code.load(values, i * 16), distance]));
          }
        });
        for (const address of [y, dy, dx]) code.int("add", address, columns * 4, address);
      });
    },
  };
}
