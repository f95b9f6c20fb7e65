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
    const all = { offset: 0, bytes: channels * 4 };
    const numbers = channels * 4;
    return {
      functions: [sums, apply],
      scratchBytes: 3 * partSize + 5 * numbers,
      sharedBytes: images * channels * entry, // sums of each image's channels; then in the first image's place a, b and c of each channel
      phases: [
        ({ functions, scratch, shared, read, share }, [gradient = 0n, from = 0n, , mean = 0n]) => {
          const means = read(scratch + 3 * partSize, mean, all);
          eachPart(parts, share, ({ image, channel, count, place }) => {
            const [dy, x] = [read(scratch, gradient, place), read(scratch + partSize, from, place)];
            functions[sums.name]?.(dy, x, means + channel * 4, shared + (image * channels + channel) * entry, count);
          });
        },
        ({ scratch, shared, floats, read, write, share }, [, , scale = 0n, mean = 0n, inverse = 0n], [, dScale = 0n, dBias = 0n]) => {
          if (share.index > 0) return;
          const own = (index: number): number => scratch + 3 * partSize + index * numbers;
          const [a, b, c] = [read(own(0), scale, all) / 4, read(own(1), mean, all) / 4, read(own(2), inverse, all) / 4];
          for (let channel = 0; channel < channels; channel += 1) {
            let [total, met] = [0, 0];
            for (let image = 0; image < images; image += 1) {
              const place = (shared + (image * channels + channel) * entry) / 4;
              total += fourFrom(floats, place);
              met += fourFrom(floats, place + 4);
            }
            const [factor, average, deviation] = [floats[a + channel] ?? 0, floats[b + channel] ?? 0, floats[c + channel] ?? 0];
            const along = (-factor * deviation ** 3 * met) / (images * pixels);
            const slope = factor * deviation;
            floats.set([slope, along, -along * average - (slope * total) / (images * pixels)], shared / 4 + channel * (entry / 4));
            floats[own(3) / 4 + channel] = met * deviation;
            floats[own(4) / 4 + channel] = total;
          }
          write(dScale, own(3), all);
          write(dBias, own(4), all);
        },
        ({ functions, scratch, shared, read, target, write, share }, [gradient = 0n, from = 0n], [dx = 0n]) => {
          eachPart(parts, share, ({ channel, count, place }) => {
            const [dy, x] = [read(scratch, gradient, place), read(scratch + partSize, from, place)];
            const result = target(scratch + 2 * partSize, dx, place);
            functions[apply.name]?.(dy, x, result, shared + channel * entry, count);
            write(dx, result, place);
          });
        },
      ],
    };
  },
};

/** Bytes of one channel's sums or numbers. */
const entry = 32;

function fourFrom(floats: Float32Array, place: number): number {
  return (floats[place] ?? 0) + (floats[place + 1] ?? 0) + (floats[place + 2] ?? 0) + (floats[place + 3] ?? 0);
}

/** (dY, X, means, sums, channels): each channel's sums of dY and of dY (X - mean), four partial sums each. */
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
        code.store(sums, 0, addAll(code, totals));
        code.store(sums, 16, addAll(code, products));
        code.int("add", dy, pixels * 4, dy);
        code.int("add", x, pixels * 4, x);
        code.int("add", means, 4, means);
        code.int("add", sums, 32, sums);
      });
    },
  };
}

/** (dY, X, dX, numbers, channels): dX is a dY + b X + c. */
function applyFunction(pixels: number): FunctionSource {
  return {
    name: `normalization apply ${pixels}`,
    parameters: ["i32", "i32", "i32", "i32", "i32"],
    build(code) {
      const [dy, x, dx, numbers, channels] = [code.parameter(0), code.parameter(1), code.parameter(2), code.parameter(3), code.parameter(4)];
      code.loop({ end: channels, step: 1 }, () => {
        const [a, b, c] = [code.loadSplat(numbers), code.loadSplat(numbers, 4), code.loadSplat(numbers, 8)];
        const count = sideBySide(pixels);
        code.loop({ end: pixels * 4, step: 16 * count }, (at) => {
          const [gradients, inputs, results] = [code.int("add", dy, at), code.int("add", x, at), code.int("add", dx, at)];
          for (let i = 0; i < count; i += 1) {
            const rest = code.vector("multiplyAdd", [code.load(inputs, i * 16), b, c]);
            code.store(results, i * 16, code.vector("multiplyAdd", [code.load(gradients, i * 16), a, rest]));
          }
        });
        code.int("add", dy, pixels * 4, dy);
        code.int("add", x, pixels * 4, x);
        code.int("add", dx, pixels * 4, dx);
        code.int("add", numbers, 32, numbers);
      });
    },
  };
}
