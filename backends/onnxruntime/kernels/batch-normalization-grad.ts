import type { Local } from "../wasm/function-builder.ts";
import type { FunctionSource } from "../wasm/module.ts";
import { addAll, channelParts, eachPart, sideBySide, type HostKernel } from "./host-kernel.ts";

/**
 * BatchNormalizationGrad(dY, X, scale, mean, inverse) -> dX, dScale, dB in two passes over memory: one for the sums of dY and of dY (X - mean),
 * one for dX, which is a dY + b X + c with three numbers for each channel.
 */
export const batchNormalizationGrad: HostKernel = {
  operator: "BatchNormalizationGrad",
  plan({ inputs: [dy] }) {
    const parts = dy && channelParts(dy);
    if (parts === undefined) return undefined;
    const { images, channels, pixels, width } = parts;
    const [sums, apply] = [sumsFunction(pixels), applyFunction(pixels)];
    const partSize = width * pixels * 4;
    const padded = Math.ceil(channels / 4) * 16;
    // dY's part, X's part, then scale, mean, inverse, then the sums or numbers of each channel
    const at = {
      dy: 0,
      x: partSize,
      scale: 2 * partSize,
      mean: 2 * partSize + padded,
      inverse: 2 * partSize + 2 * padded,
      sums: 2 * partSize + 3 * padded,
    };
    return {
      functions: [sums, apply],
      scratchBytes: at.sums + channels * 32,
      compute(
        { functions, scratch, floats, read, write },
        [gradient = 0n, from = 0n, scale = 0n, mean = 0n, inverse = 0n],
        [dx = 0n, dScale = 0n, dBias = 0n],
      ) {
        const all = { offset: 0, bytes: channels * 4 };
        read(scratch + at.scale, scale, all);
        read(scratch + at.mean, mean, all);
        read(scratch + at.inverse, inverse, all);
        floats.fill(0, at.sums / 4, at.sums / 4 + channels * 8);
        eachPart(parts, ({ channel, count, place }) => {
          read(scratch + at.dy, gradient, place);
          read(scratch + at.x, from, place);
          functions[sums.name]?.(scratch + at.dy, scratch + at.x, scratch + at.mean + channel * 4, scratch + at.sums + channel * 32, count);
        });
        const values = (offset: number, c: number): number => floats[offset / 4 + c] ?? Number.NaN;
        for (let c = 0; c < channels; c += 1) {
          const place = at.sums / 4 + c * 8;
          const [total, met] = [fourFrom(floats, place), fourFrom(floats, place + 4)];
          const [slope, away] = [values(at.scale, c) * values(at.inverse, c), met * values(at.inverse, c) ** 2];
          const along = (-slope * away) / (images * pixels);
          floats.set([slope, along, -along * values(at.mean, c) - (slope * total) / (images * pixels)], place);
          floats[at.scale / 4 + c] = met * values(at.inverse, c); // scale is not needed any more
          floats[at.inverse / 4 + c] = total;
        }
        write(dScale, scratch + at.scale, all);
        write(dBias, scratch + at.inverse, all);
        eachPart(parts, ({ channel, count, place }) => {
          read(scratch + at.dy, gradient, place);
          read(scratch + at.x, from, place);
          functions[apply.name]?.(scratch + at.dy, scratch + at.x, scratch + at.sums + channel * 32, count);
          write(dx, scratch + at.dy, place);
        });
      },
    };
  },
};

function fourFrom(floats: Float32Array, place: number): number {
  return (floats[place] ?? 0) + (floats[place + 1] ?? 0) + (floats[place + 2] ?? 0) + (floats[place + 3] ?? 0);
}

/** (dY, X, means, sums, channels): adds to each channel's sums of dY and of dY (X - mean), four partial sums each. */
function sumsFunction(pixels: number): FunctionSource {
  return {
    name: `normalization sums ${pixels}`,
    parameters: ["i32", "i32", "i32", "i32", "i32"],
    build(code) {
      const [dy, x, means, sums, channels] = [code.parameter(0), code.parameter(1), code.parameter(2), code.parameter(3), code.parameter(4)];
      const count = Math.min(sideBySide(pixels), 4);
      const [totals, products] = [0, 1].map(() => Array.from({ length: count }, () => code.local("v128"))) as [Local[], Local[]];
      code.loop({ end: channels, step: 1 }, () => {
        for (const sum of [...totals, ...products]) code.constant(0, sum);
        const mean = code.loadSplat(means);
        code.loop({ end: pixels * 4, step: 16 * count }, (at) => {
          const [gradients, inputs] = [code.int("add", dy, at), code.int("add", x, at)];
          for (const [i, total] of totals.entries()) {
            const gradient = code.load(gradients, i * 16);
            code.vector("add", [total, gradient], total);
            const centred = code.vector("sub", [code.load(inputs, i * 16), mean]);
            const product = products[i] ?? total;
            code.vector("multiplyAdd", [gradient, centred, product], product);
          }
        });
        code.store(sums, 0, code.vector("add", [addAll(code, totals), code.load(sums)]));
        code.store(sums, 16, code.vector("add", [addAll(code, products), code.load(sums, 16)]));
        code.int("add", dy, pixels * 4, dy);
        code.int("add", x, pixels * 4, x);
        code.int("add", means, 4, means);
        code.int("add", sums, 32, sums);
      });
    },
  };
}

/** (dY, X, numbers, channels): dY becomes a dY + b X + c. */
function applyFunction(pixels: number): FunctionSource {
  return {
    name: `normalization apply ${pixels}`,
    parameters: ["i32", "i32", "i32", "i32"],
    build(code) {
      const [dy, x, numbers, channels] = [code.parameter(0), code.parameter(1), code.parameter(2), code.parameter(3)];
      code.loop({ end: channels, step: 1 }, () => {
        const [a, b, c] = [code.loadSplat(numbers), code.loadSplat(numbers, 4), code.loadSplat(numbers, 8)];
        const count = sideBySide(pixels);
        code.loop({ end: pixels * 4, step: 16 * count }, (at) => {
          const [gradients, inputs] = [code.int("add", dy, at), code.int("add", x, at)];
          for (let i = 0; i < count; i += 1) {
            const rest = code.vector("multiplyAdd", [code.load(inputs, i * 16), b, c]);
            code.store(gradients, i * 16, code.vector("multiplyAdd", [code.load(gradients, i * 16), a, rest]));
          }
        });
        code.int("add", dy, pixels * 4, dy);
        code.int("add", x, pixels * 4, x);
        code.int("add", numbers, 32, numbers);
      });
    },
  };
}
