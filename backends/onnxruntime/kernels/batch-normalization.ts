import type { FunctionBuilder, Local } from "../wasm/function-builder.ts";
import type { FunctionSource } from "../wasm/module.ts";
import { kept, type Bounds } from "./bounds.ts";
import { channelParts, eachPart, sideBySide, type KernelPlan, type KernelType, type Phase } from "./host-kernel.ts";

/** What comes with a normalisation. */
export interface NormalizationOptions {
  readonly epsilon: number;
  /** Of the activation that follows. */
  readonly bounds?: Bounds;
}

/** The plan for inputs X, scale, B, mean and variance, one of each channel: (X - mean) / sqrt(variance + epsilon) * scale + B and an activation, in one pass. */
export function planBatchNormalization(x: KernelType, options: NormalizationOptions): KernelPlan | undefined {
  const parts = channelParts(x);
  if (parts === undefined) return undefined;
  const { channels, pixels, width } = parts;
  const source = normalizeFunction(pixels, options.bounds);
  const partSize = width * pixels * 4;
  return {
    functions: [source],
    writes: [parts.images * channels * pixels],
    scratchBytes: Math.max(2 * partSize, channels * scratchOfNumbers),
    sharedBytes: channels * numberBytes,
    phases: [
      numbersPhase(options, { channels, firstInput: 1 }),
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
export const numberBytes = 16;

/** Scratch memory that `numbersPhase` needs for a channel. */
export const scratchOfNumbers = 16;

/** Writes every channel's numbers to the start of shared memory, from scale, B, mean and variance, which are inputs one after the other. */
export function numbersPhase(
  { epsilon }: NormalizationOptions,
  { channels, firstInput }: { readonly channels: number; readonly firstInput: number },
): Phase {
  const all = { offset: 0, bytes: channels * 4 };
  return ({ scratch, shared, floats, read, share }, inputs) => {
    if (share.index > 0) return;
    const places = inputs.slice(firstInput, firstInput + 4).map((values, i) => read(scratch + i * all.bytes, values, all) / 4);
    for (let channel = 0; channel < channels; channel += 1) {
      const [scale = 0, bias = 0, mean = 0, variance = 0] = places.map((place) => floats[place + channel]);
      floats.set([mean, scale / Math.sqrt(variance + epsilon), bias], (shared + channel * numberBytes) / 4);
    }
  };
}

/** How vectors of the channel are normalised whose numbers are at an address; outside loops over channels, because it holds constants. */
export function normalizer(code: FunctionBuilder, bounds: Bounds | undefined): (numbers: Local) => (value: Local) => Local {
  const keep = kept(code, bounds);
  return (numbers) => {
    const [mean, slope, shift] = [code.loadSplat(numbers), code.loadSplat(numbers, 4), code.loadSplat(numbers, 8)];
    return (value) => keep(code.vector("multiplyAdd", [code.vector("sub", [value, mean]), slope, shift]));
  };
}

/** (X, Y, numbers, channels) */
function normalizeFunction(pixels: number, bounds: Bounds | undefined): FunctionSource {
  return {
    name: `normalize ${pixels} ${JSON.stringify(bounds)}`,
    parameters: ["i32", "i32", "i32", "i32"],
    build(code) {
      const [x, y, numbers, channels] = code.take(4);
      const normalizes = normalizer(code, bounds);
      code.loop({ end: channels, step: 1 }, () => {
        const normalize = normalizes(numbers);
        const count = Math.min(sideBySide(pixels), 4);
        code.loop({ end: pixels * 4, step: 16 * count }, (at) => {
          const [inputs, outputs] = [code.int("add", x, at), code.int("add", y, at)];
          for (let i = 0; i < count; i += 1) code.store(outputs, i * 16, normalize(code.load(inputs, i * 16)));
        });
        code.int("add", x, pixels * 4, x);
        code.int("add", y, pixels * 4, y);
        code.int("add", numbers, numberBytes, numbers);
      });
    },
  };
}
