import type { FunctionSource } from "../wasm/module.ts";
import { addAll, channelParts, eachPart, sideBySide, type HostKernel } from "./host-kernel.ts";

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
    const results = width * pixels * 4; // after the part: for each image and channel its sum and its squares
    return {
      functions: [source],
      scratchBytes: results + images * channels * 32,
      compute({ functions, scratch, floats, read, write }, [from = 0n], [mean = 0n, variance = 0n]) {
        eachPart(parts, ({ image, channel, count, place }) => {
          read(scratch, from, place);
          functions[source.name]?.(scratch, scratch + results + (image * channels + channel) * 32, count);
        });
        for (let c = 0; c < channels; c += 1) {
          let [average, squares] = [0, 0];
          for (let n = 0; n < images; n += 1) {
            const at = results / 4 + (n * channels + c) * 8;
            const difference = (floats[at] ?? 0) / pixels - average;
            average += difference / (n + 1);
            squares += (floats[at + 4] ?? 0) + (difference * difference * pixels * n) / (n + 1);
          }
          floats[c] = average;
          floats[channels + c] = squares / (images * pixels);
        }
        write(mean, scratch, { offset: 0, bytes: channels * 4 });
        write(variance, scratch + channels * 4, { offset: 0, bytes: channels * 4 });
      },
    };
  },
};

/** (part, results, channels): for each channel its sum and the sum of squared distances from its mean, each in all places of a vector. */
function momentsFunction(pixels: number): FunctionSource {
  return {
    name: `moments ${pixels}`,
    parameters: ["i32", "i32", "i32"],
    build(code) {
      const [part, results, channels] = [code.parameter(0), code.parameter(1), code.parameter(2)];
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
        code.int("add", results, 32, results);
      });
    },
  };
}
