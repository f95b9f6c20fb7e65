import type { FunctionSource } from "../wasm/module.ts";
import { kept, type Bounds } from "./bounds.ts";
import { channelParts, eachPart, sideBySide, type KernelPlan, type KernelType } from "./host-kernel.ts";

/** What comes with a normalisation. */
export interface BatchNormalizationOptions {
  readonly epsilon: number;
  /** Of the activation that follows. */
  readonly bounds?: Bounds;
}

/** The plan for inputs X, scale, B, mean and variance, one of each channel: (X - mean) / sqrt(variance + epsilon) * scale + B and an activation, in one pass. */
export function planBatchNormalization(x: KernelType, { epsilon, bounds }: BatchNormalizationOptions): KernelPlan | undefined {
  const parts = channelParts(x);
  if (parts === undefined) return undefined;
  const { channels, pixels, width } = parts;
  const source = normalizeFunction(pixels, bounds);
  const partSize = width * pixels * 4;
  const all = { offset: 0, bytes: channels * 4 };
  return {
    functions: [source],
    scratchBytes: Math.max(2 * partSize, 4 * channels * 4),
    sharedBytes: channels * numberBytes,
    phases: [
      ({ scratch, shared, floats, read, share }, [, ...given]) => {
        if (share.index > 0) return;
        const places = given.map((values, i) => read(scratch + i * channels * 4, values, all) / 4);
        for (let channel = 0; channel < channels; channel += 1) {
          const [scale = 0, bias = 0, mean = 0, variance = 0] = places.map((place) => floats[place + channel]);
          floats.set([mean, scale / Math.sqrt(variance + epsilon), bias], (shared + channel * numberBytes) / 4);
        }
      },
      ({ functions, scratch, shared, read, target, write, share }, [from = 0n], [to = 0n]) => {
        eachPart(parts, share, ({ channel, count, place }) => {
          const input = read(scratch, from, place);
          const output = target(scratch + partSize, to, place);
          functions[source.name]?.(input, output, shared + channel * numberBytes, count);
          write(to, output, place);
        });
      },
    ],
  };
}

/** Bytes of one channel's mean, slope (scale / deviation) and B. */
const numberBytes = 16;

/** (X, Y, numbers, channels) */
function normalizeFunction(pixels: number, bounds: Bounds | undefined): FunctionSource {
  return {
    name: `normalize ${pixels} ${JSON.stringify(bounds)}`,
    parameters: ["i32", "i32", "i32", "i32"],
    build(code) {
      const [x, y, numbers, channels] = [code.parameter(0), code.parameter(1), code.parameter(2), code.parameter(3)];
      const keep = kept(code, bounds);
      code.loop({ end: channels, step: 1 }, () => {
        const [mean, slope, shift] = [code.loadSplat(numbers), code.loadSplat(numbers, 4), code.loadSplat(numbers, 8)];
        const count = Math.min(sideBySide(pixels), 4);
        code.loop({ end: pixels * 4, step: 16 * count }, (at) => {
          const [inputs, outputs] = [code.int("add", x, at), code.int("add", y, at)];
          for (let i = 0; i < count; i += 1) {
            const centred = code.vector("sub", [code.load(inputs, i * 16), mean]);
            code.store(outputs, i * 16, keep(code.vector("multiplyAdd", [centred, slope, shift])));
          }
        });
        code.int("add", x, pixels * 4, x);
        code.int("add", y, pixels * 4, y);
        code.int("add", numbers, numberBytes, numbers);
      });
    },
  };
}
