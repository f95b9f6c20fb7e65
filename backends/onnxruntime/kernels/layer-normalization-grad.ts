import type { FunctionBuilder, Local } from "../wasm/function-builder.ts";
import type { FunctionSource } from "../wasm/module.ts";
import { addAll, sideBySide, type HostKernel, type KernelPlan, type KernelType } from "./host-kernel.ts";
import { columnSums, eachRows, rowParts } from "./row-parts.ts";

/** LayerNormalizationGrad(dY, X, Scale, Mean, InvStdDev) -> dX, dScale. */
export const layerNormalizationGrad: HostKernel = {
  operator: "LayerNormalizationGrad",
  plan({ inputs }) {
    const types = inputs.flatMap((type) => type ?? []);
    return planLayerNormalizationGrad(types, { residual: false, extra: 0 });
  },
};

/** What the kernel computes besides dX and dScale. */
export interface LayerNormalizationGradParts {
  /** Whether a sixth input is added to dX: the gradient that goes round the normalisation. */
  readonly residual: boolean;
  /** 1: the sum of dY over all rows is an output too; 2: and that of dX with the residual. */
  readonly extra: 0 | 1 | 2;
}

/**
 * dX = InvStdDev (g - mean(g) - normal mean(g normal)) with g = dY Scale and normal = (X - Mean) InvStdDev, row after row while it is in the cache:
 * one pass over memory, where single operators take ten.
 */
export function planLayerNormalizationGrad(
  [dy, , scale, mean]: readonly KernelType[],
  { residual, extra }: LayerNormalizationGradParts,
): KernelPlan | undefined {
  const [all, factors, means] = [dy, scale, mean].map((type) => type?.shape.reduce((a, b) => a * b, 1) ?? 0) as [number, number, number]; // three
  const parts = dy && means > 0 ? rowParts(dy, all / means) : undefined;
  if (parts === undefined || parts.columns !== factors) return undefined; // a Scale that is broadcast goes to ONNX Runtime
  const { bytes, height } = parts;
  const source = gradFunction(parts.columns, { residual, extra });
  const totals = columnSums(parts, 1 + extra);
  const row = { offset: 0, bytes: parts.columns * 4 };
  const statistics = Math.ceil(height / 4) * 16;
  return {
    functions: [source],
    writes: [all, ...Array.from({ length: 1 + extra }, () => parts.columns)],
    scratchBytes: 4 * bytes + 2 * statistics + row.bytes,
    sharedBytes: totals.bytes,
    phases: [
      (tools, [gradient = 0n, x = 0n, scale = 0n, mean = 0n, inverse = 0n, round = 0n], [dx = 0n]) => {
        const { functions, scratch, read, target, write, share } = tools;
        const [means, inverses] = [scratch + 4 * bytes, scratch + 4 * bytes + statistics];
        const scales = read(inverses + statistics, scale, row);
        const total = totals.begin(tools);
        eachRows(parts, share, ({ row, count, place }) => {
          const some = { offset: row * 4, bytes: count * 4 };
          const result = target(scratch + 2 * bytes, dx, place);
          functions[source.name]?.(
            read(scratch, gradient, place),
            read(scratch + bytes, x, place),
            scales,
            read(means, mean, some),
            read(inverses, inverse, some),
            residual ? read(scratch + 3 * bytes, round, place) : 0,
            result,
            total,
            count,
          );
          write(dx, result, place);
        });
      },
      totals.finish(1),
    ],
  };
}

/** (dY, X, scale, means, inverses, residual, dX, sums, rows) */
function gradFunction(columns: number, { residual, extra }: LayerNormalizationGradParts): FunctionSource {
  return {
    name: `layer normalization gradient ${columns}${residual ? " residual" : ""} ${extra}`,
    parameters: Array.from({ length: 9 }, () => "i32" as const),
    build(code) {
      const [dy, x, scale, means, inverses, round, dx, sums, rows] = code.take(9);
      const share = code.constant(-1 / columns);
      code.loop({ end: rows, step: 1 }, () => {
        const [mean, inverse] = [code.loadSplat(means), code.loadSplat(inverses)];
        const [total, met] = rowSums(code, { dy, x, scale, mean, columns });
        // The negative means of g and of g normal, each times InvStdDev.
        const back = code.vector("mul", [code.vector("mul", [total, share]), inverse]);
        const along = code.vector("mul", [code.vector("mul", [code.vector("mul", [met, inverse]), share]), inverse]);
        code.loop({ end: columns * 4, step: 16 }, (at) => {
          const gradient = code.load(code.int("add", dy, at));
          const normal = code.vector("mul", [code.vector("sub", [code.load(code.int("add", x, at)), mean]), inverse]);
          const g = code.vector("mul", [gradient, code.load(code.int("add", scale, at))]);
          const rest = code.vector("multiplyAdd", [normal, along, back]);
          const own = code.vector("multiplyAdd", [g, inverse, rest]);
          const result = residual ? code.vector("add", [own, code.load(code.int("add", round, at))]) : own;
          code.store(code.int("add", dx, at), 0, result);
          const place = code.int("add", sums, at);
          code.store(place, 0, code.vector("multiplyAdd", [gradient, normal, code.load(place)]));
          if (extra > 0) code.store(place, columns * 4, code.vector("add", [gradient, code.load(place, columns * 4)]));
          if (extra > 1) code.store(place, columns * 8, code.vector("add", [result, code.load(place, columns * 8)]));
        });
        for (const address of residual ? [dy, x, dx, round] : [dy, x, dx]) code.int("add", address, columns * 4, address);
        for (const address of [means, inverses]) code.int("add", address, 4, address);
      });
    },
  };
}

interface Row {
  readonly dy: Local;
  readonly x: Local;
  readonly scale: Local;
  readonly mean: Local;
  readonly columns: number;
}

/** A row's sums of g and of g (X - Mean). */
function rowSums(code: FunctionBuilder, { dy, x, scale, mean, columns }: Row): readonly [Local, Local] {
  const count = Math.min(sideBySide(columns), 4);
  const totals = Array.from({ length: count }, () => code.constant(0));
  const products = Array.from({ length: count }, () => code.constant(0));
  code.loop({ end: columns * 4, step: 16 * count }, (at) => {
    const [gradients, inputs, factors] = [code.int("add", dy, at), code.int("add", x, at), code.int("add", scale, at)];
    for (const [i, total] of totals.entries()) {
      const g = code.vector("mul", [code.load(gradients, i * 16), code.load(factors, i * 16)]);
      code.vector("add", [total, g], total);
      const product = products[i] ?? total;
      code.vector("multiplyAdd", [code.vector("sub", [code.load(inputs, i * 16), mean]), g, product], product);
    }
  });
  return [code.sum(addAll(code, totals)), code.sum(addAll(code, products))];
}
