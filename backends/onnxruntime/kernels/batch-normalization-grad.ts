import type { FunctionSource } from "../wasm/module.ts";
import { masked, type Bounds } from "./bounds.ts";
import { addAll, channelParts, eachPart, sideBySide, type HostKernel, type KernelPlan, type KernelType } from "./host-kernel.ts";

/**
 * BatchNormalizationGrad(dY, X, scale, mean, inverse) -> dX, dScale, dB in two passes over memory: one for the sums of dY and of dY (X - mean),
 * one for dX, which is a dY + b X + c with three numbers for each channel.
 */
export const batchNormalizationGrad: HostKernel = {
  operator: "BatchNormalizationGrad",
  plan: ({ inputs: [dy] }) => dy && planBatchNormalizationGrad(dy),
};

/**
 * The plan, for inputs dY, X, scale, mean, inverse and, with bounds, B.
 *
 * @param bounds of an activation that came after the normalisation: dY is the gradient by what it gave, and counts where it let the normalised value pass,
 *   which is computed again rather than read
 */
export function planBatchNormalizationGrad(dy: KernelType, bounds?: Bounds): KernelPlan | undefined {
  const parts = channelParts(dy);
  if (parts === undefined) return undefined;
  const { images, channels, pixels, width } = parts;
  const [sums, apply] = [sumsFunction(pixels, bounds), applyFunction(pixels, bounds)];
  const partSize = width * pixels * 4;
  const all = { offset: 0, bytes: channels * 4 };
  const values = channels * 4;
  const numbers = images * channels * entry; // of each channel, after the sums of each image's channels
  return {
    functions: [sums, apply],
    writes: [images * channels * pixels, channels, channels],
    scratchBytes: 3 * partSize + 4 * values,
    sharedBytes: numbers + channels * numberBytes,
    phases: [
      ({ scratch, shared, floats, read, share }, [, , scale = 0n, mean = 0n, inverse = 0n, bias = 0n]) => {
        if (share.index > 0) return;
        const own = (index: number): number => scratch + 3 * partSize + index * values;
        const [a, b, c] = [read(own(0), scale, all) / 4, read(own(1), mean, all) / 4, read(own(2), inverse, all) / 4];
        const d = bounds && read(own(3), bias, all) / 4;
        for (let channel = 0; channel < channels; channel += 1) {
          const slope = (floats[a + channel] ?? 0) * (floats[c + channel] ?? 0);
          const shift = d === undefined ? 0 : (floats[d + channel] ?? 0);
          floats.set([floats[b + channel] ?? 0, slope, shift], (shared + numbers + channel * numberBytes) / 4);
        }
      },
      ({ functions, scratch, shared, read, share }, [gradient = 0n, from = 0n]) => {
        eachPart(parts, share, ({ image, channel, count, place }) => {
          const [dy, x] = [read(scratch, gradient, place), read(scratch + partSize, from, place)];
          functions[sums.name]?.(dy, x, shared + numbers + channel * numberBytes, shared + (image * channels + channel) * entry, count);
        });
      },
      ({ scratch, shared, floats, read, write, share }, [, , , , inverse = 0n], [, dScale = 0n, dBias = 0n]) => {
        if (share.index > 0) return;
        const own = (index: number): number => scratch + 3 * partSize + index * values;
        const inverses = read(own(0), inverse, all) / 4;
        for (let channel = 0; channel < channels; channel += 1) {
          let [total, met] = [0, 0];
          for (let image = 0; image < images; image += 1) {
            const place = (shared + (image * channels + channel) * entry) / 4;
            total += fourFrom(floats, place);
            met += fourFrom(floats, place + 4);
          }
          const place = (shared + numbers + channel * numberBytes) / 4;
          const [average, slope, deviation] = [floats[place] ?? 0, floats[place + 1] ?? 0, floats[inverses + channel] ?? 0];
          const along = (-slope * deviation ** 2 * met) / (images * pixels);
          floats.set([along, -along * average - (slope * total) / (images * pixels)], place + 3);
          floats[own(1) / 4 + channel] = met * deviation;
          floats[own(2) / 4 + channel] = total;
        }
        write(dScale, own(1), all);
        write(dBias, own(2), all);
      },
      ({ functions, scratch, shared, read, target, write, share }, [gradient = 0n, from = 0n], [dx = 0n]) => {
        eachPart(parts, share, ({ channel, count, place }) => {
          const [dy, x] = [read(scratch, gradient, place), read(scratch + partSize, from, place)];
          const result = target(scratch + 2 * partSize, dx, place);
          functions[apply.name]?.(dy, x, result, shared + numbers + channel * numberBytes, count);
          write(dx, result, place);
        });
      },
    ],
  };
}

/** Bytes of one channel's sums: of dY and of dY (X - mean), four partial sums each. */
const entry = 32;

/** Bytes of one channel's numbers: its mean, slope (scale / deviation) and B; then b and c. */
const numberBytes = 32;

function fourFrom(floats: Float32Array, place: number): number {
  return (floats[place] ?? 0) + (floats[place + 1] ?? 0) + (floats[place + 2] ?? 0) + (floats[place + 3] ?? 0);
}

/** (dY, X, numbers, sums, channels): each channel's sums of dY and of dY (X - mean), four partial sums each. */
function sumsFunction(pixels: number, bounds: Bounds | undefined): FunctionSource {
  return {
    name: `normalization sums ${pixels} ${JSON.stringify(bounds)}`,
    parameters: ["i32", "i32", "i32", "i32", "i32"],
    build(code) {
      const [dy, x, numbers, sums, channels] = code.take(5);
      const count = Math.min(sideBySide(pixels), bounds === undefined ? 4 : 2);
      const totals = Array.from({ length: count }, () => code.local("v128"));
      const products = totals.map(() => code.local("v128"));
      const mask = masked(code, bounds);
      code.loop({ end: channels, step: 1 }, () => {
        for (const sum of [...totals, ...products]) code.constant(0, sum);
        const [mean, slope, shift] = [code.loadSplat(numbers), code.loadSplat(numbers, 4), code.loadSplat(numbers, 8)];
        code.loop({ end: pixels * 4, step: 16 * count }, (at) => {
          const [gradients, inputs] = [code.int("add", dy, at), code.int("add", x, at)];
          for (const [i, total] of totals.entries()) {
            const centred = code.vector("sub", [code.load(inputs, i * 16), mean]);
            const gradient = mask(code.load(gradients, i * 16), () => code.vector("multiplyAdd", [centred, slope, shift]));
            code.vector("add", [total, gradient], total);
            const product = products[i] ?? total;
            code.vector("multiplyAdd", [gradient, centred, product], product);
          }
        });
        code.store(sums, 0, addAll(code, totals));
        code.store(sums, 16, addAll(code, products));
        code.int("add", dy, pixels * 4, dy);
        code.int("add", x, pixels * 4, x);
        code.int("add", numbers, numberBytes, numbers);
        code.int("add", sums, entry, sums);
      });
    },
  };
}

/** (dY, X, dX, numbers, channels): dX is slope dY + b X + c. */
function applyFunction(pixels: number, bounds: Bounds | undefined): FunctionSource {
  return {
    name: `normalization apply ${pixels} ${JSON.stringify(bounds)}`,
    parameters: ["i32", "i32", "i32", "i32", "i32"],
    build(code) {
      const [dy, x, dx, numbers, channels] = code.take(5);
      const mask = masked(code, bounds);
      code.loop({ end: channels, step: 1 }, () => {
        const [mean, slope, shift] = [code.loadSplat(numbers), code.loadSplat(numbers, 4), code.loadSplat(numbers, 8)];
        const [b, c] = [code.loadSplat(numbers, 12), code.loadSplat(numbers, 16)];
        const count = Math.min(sideBySide(pixels), bounds === undefined ? 8 : 2);
        code.loop({ end: pixels * 4, step: 16 * count }, (at) => {
          const [gradients, inputs, results] = [code.int("add", dy, at), code.int("add", x, at), code.int("add", dx, at)];
          for (let i = 0; i < count; i += 1) {
            const input = code.load(inputs, i * 16);
            const gradient = mask(code.load(gradients, i * 16), () => {
              return code.vector("multiplyAdd", [code.vector("sub", [input, mean]), slope, shift]);
            });
            const rest = code.vector("multiplyAdd", [input, b, c]);
            code.store(results, i * 16, code.vector("multiplyAdd", [gradient, slope, rest]));
          }
        });
        code.int("add", dy, pixels * 4, dy);
        code.int("add", x, pixels * 4, x);
        code.int("add", dx, pixels * 4, dx);
        code.int("add", numbers, numberBytes, numbers);
      });
    },
  };
}
