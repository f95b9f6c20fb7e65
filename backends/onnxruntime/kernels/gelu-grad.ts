import type { FunctionBuilder, Local } from "../wasm/function-builder.ts";
import { powerOfTwo } from "../wasm/power-of-two.ts";
import type { FunctionSource } from "../wasm/module.ts";
import type { KernelPlan, KernelType } from "./host-kernel.ts";
import { columnSums, eachRows, rowParts } from "./row-parts.ts";

/** What the kernel computes besides dX. */
export interface GeluGradParts {
  /** Whether a row is added to X: inputs are then dY, X and that row. */
  readonly bias: boolean;
  /** Whether dX is also added up over all rows, which is that row's gradient: the second output. */
  readonly sums: boolean;
}

/** dY and X to dX = dY (share(X) + X density(X)) of the normal distribution, in one pass where single operators take 14. */
export function planGeluGrad([dy, x]: readonly KernelType[], { bias, sums }: GeluGradParts): KernelPlan | undefined {
  const parts = x && rowParts(x);
  if (parts === undefined || dy?.shape.join() !== x?.shape.join()) return undefined;
  const { columns, bytes } = parts;
  const source = geluGradFunction(columns, { bias, sums });
  const totals = columnSums(parts, sums ? 1 : 0);
  const row = { offset: 0, bytes: columns * 4 };
  return {
    functions: [source],
    writes: [parts.rows * columns, ...(sums ? [columns] : [])],
    scratchBytes: 3 * bytes + columns * 4,
    sharedBytes: totals.bytes,
    phases: [
      (tools, [gradient = 0n, from = 0n, added = 0n], [dx = 0n]) => {
        const { functions, scratch, read, target, write, share } = tools;
        const total = totals.begin(tools);
        const biases = bias ? read(scratch + 3 * bytes, added, row) : 0;
        eachRows(parts, share, ({ count, place }) => {
          const result = target(scratch + 2 * bytes, dx, place);
          functions[source.name]?.(read(scratch, gradient, place), read(scratch + bytes, from, place), biases, result, total, count);
          write(dx, result, place);
        });
      },
      ...(sums ? [totals.finish(1)] : []),
    ],
  };
}

/** (dY, X, bias, dX, sums, rows) */
function geluGradFunction(columns: number, { bias, sums }: GeluGradParts): FunctionSource {
  return {
    name: `gelu gradient ${columns}${bias ? " bias" : ""}${sums ? " sums" : ""}`,
    parameters: ["i32", "i32", "i32", "i32", "i32", "i32"],
    build(code) {
      const [dy, x, biases, dx, totals, rows] = code.take(6);
      const slope = geluSlope(code);
      code.loop({ end: rows, step: 1 }, () => {
        code.loop({ end: columns * 4, step: 16 }, (at) => {
          const place = code.load(code.int("add", x, at));
          const value = bias ? code.vector("add", [place, code.load(code.int("add", biases, at))]) : place;
          const result = code.vector("mul", [code.load(code.int("add", dy, at)), slope(value)]);
          code.store(code.int("add", dx, at), 0, result);
          if (!sums) return;
          const total = code.int("add", totals, at);
          code.store(total, 0, code.vector("add", [code.load(total), result]));
        });
        for (const address of [dy, x, dx]) code.int("add", address, columns * 4, address);
      });
    },
  };
}

/**
 * The share of the normal distribution below -|x| over e^(-x^2 / 2), as powers of t = 1 / (1 + 0.275 |x|), the highest first and t the last.
 *
 * Fitted over 0 to 13 to the least largest distance, 5e-9 (the form is that of C. Hastings, Approximations for digital computers, 1955).
 */
const tail = [
  -0.114_858_339_810_798_86, 0.451_998_762_301_532_13, -0.330_993_504_089_047_93, 0.333_932_391_185_182_4, 0.042_111_432_724_606_24,
  0.117_809_262_425_481_01,
];
const tailScale = 0.275;

/** A function of vectors: share(x) + x density(x), the derivative of x share(x). */
function geluSlope(code: FunctionBuilder): (x: Local) => Local {
  const [one, half, scale, density, sign] = code.constants([1, 0.5, tailScale, 1 / Math.sqrt(2 * Math.PI), -0]);
  const powers = tail.map((value) => code.constant(value));
  const exponent = code.constant(-0.5 * Math.LOG2E);
  const power = powerOfTwo(code);
  return (x) => {
    const decay = power(code.vector("mul", [code.vector("mul", [x, x]), exponent]));
    const t = code.vector("div", [one, code.vector("multiplyAdd", [code.vector("abs", [x]), scale, one])]);
    const [highest = t, ...others] = powers;
    const series = others.reduce((value, power) => code.vector("multiplyAdd", [value, t, power]), highest);
    const below = code.vector("mul", [code.vector("mul", [series, t]), decay]); // the share below -|x|
    const middle = code.vector("or", [code.vector("sub", [half, below]), code.vector("and", [x, sign])]); // between 0 and x, with its sign
    return code.vector("multiplyAdd", [code.vector("mul", [x, density]), decay, code.vector("add", [half, middle])]);
  };
}
