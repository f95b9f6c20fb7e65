import type { FunctionSource } from "../wasm/module.ts";
import { addAll, channelParts, eachPart, sideBySide, type ChannelParts, type HostKernel, type Phase } from "./host-kernel.ts";

/**
 * Mean and variance of each channel in one pass over memory, where ReduceMean, Sub, Mul and ReduceMean take four.
 *
 * Each image's channel has its own mean, from which its squared distances are summed while it is in the cache; images are then put together
 * in float64 (T. Chan, G. Golub, R. LeVeque, Updating formulae, 1979), so that a mean much larger than the deviation costs no digits.
 */
export const batchMoments: HostKernel = {
  operator: "BatchMoments",
  plan({ inputs: [x] }) {
    const parts = x && channelParts(x);
    if (parts === undefined) return undefined;
    const { images, channels, pixels, width } = parts;
    const source = momentsFunction(pixels);
    return {
      functions: [source],
      writes: [channels, channels],
      scratchBytes: Math.max(width * pixels * 4, channels * 8),
      sharedBytes: images * channels * momentBytes,
      phases: [
        ({ functions, scratch, shared, read, share }, [from = 0n]) => {
          eachPart(parts, share, ({ image, channel, count, place }) => {
            functions[source.name]?.(read(scratch, from, place), shared + (image * channels + channel) * momentBytes, count);
          });
        },
        combineMoments(parts, { at: 0, firstOutput: 0 }),
      ],
    };
  },
};

/** Bytes of the sum and the squares of one channel of one image. */
export const momentBytes = 32;

/** Scratch memory that `combineMoments` needs for a channel. */
export const scratchOfMoments = 8;

/** Where a plan keeps the moments of every image's channels in shared memory, and which outputs mean and variance are. */
interface MomentPlaces {
  readonly at: number;
  readonly firstOutput: number;
}

/** Puts the moments of the images together and writes mean and variance. */
export function combineMoments({ images, channels, pixels }: Omit<ChannelParts, "width">, { at: first, firstOutput }: MomentPlaces): Phase {
  const all = { offset: 0, bytes: channels * 4 };
  return ({ scratch, shared, floats, write, share }, _inputs, outputs) => {
    if (share.index > 0) return;
    for (let c = 0; c < channels; c += 1) {
      let [average, squares] = [0, 0];
      for (let n = 0; n < images; n += 1) {
        const at = (shared + first + (n * channels + c) * momentBytes) / 4;
        const difference = (floats[at] ?? 0) / pixels - average;
        average += difference / (n + 1);
        squares += (floats[at + 4] ?? 0) + (difference * difference * pixels * n) / (n + 1);
      }
      floats[scratch / 4 + c] = average;
      floats[scratch / 4 + channels + c] = squares / (images * pixels);
    }
    const [mean = 0n, variance = 0n] = outputs.slice(firstOutput);
    write(mean, scratch, all);
    write(variance, scratch + all.bytes, all);
  };
}

/** (part, results, channels): for each channel its sum and the sum of squared distances from its mean, each in all places of a vector. */
export function momentsFunction(pixels: number): FunctionSource {
  return {
    name: `moments ${pixels}`,
    parameters: ["i32", "i32", "i32"],
    build(code) {
      const [part, results, channels] = code.take(3);
      const scale = code.constant(1 / pixels);
      const count = sideBySide(pixels);
      const totals = Array.from({ length: count }, () => code.local("v128"));
      code.loop({ end: channels, step: 1 }, () => {
        for (const total of totals) code.constant(0, total);
        code.loop({ end: pixels * 4, step: 16 * count }, (at) => {
          const address = code.int("add", part, at);
          for (const [i, total] of totals.entries()) code.vector("add", [total, code.load(address, i * 16)], total);
        });
        const sum = code.sum(addAll(code, totals));
        const mean = code.vector("mul", [sum, scale]);
        for (const total of totals) code.constant(0, total);
        code.loop({ end: pixels * 4, step: 16 * count }, (at) => {
          const address = code.int("add", part, at);
          for (const [i, total] of totals.entries()) {
            const distance = code.vector("sub", [code.load(address, i * 16), mean]);
            code.vector("multiplyAdd", [distance, distance, total], total);
          }
        });
        const squares = addAll(code, totals);
        code.store(results, 0, sum);
        code.store(results, 16, code.sum(squares));
        code.int("add", part, pixels * 4, part);
        code.int("add", results, momentBytes, results);
      });
    },
  };
}
