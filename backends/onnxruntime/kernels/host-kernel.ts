import type { Attributes, DType } from "../../../core/index.ts";
import type { FunctionBuilder, Local } from "../wasm/function-builder.ts";
import type { FunctionSource } from "../wasm/module.ts";

/** A value's type, with every size known. */
export interface KernelType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** One node that a kernel is asked for. */
export interface KernelUse {
  readonly attributes: Attributes;
  /** Undefined where an optional input is left out. */
  readonly inputs: readonly (KernelType | undefined)[];
  readonly outputs: readonly KernelType[];
  /** Whether each input is a constant of the model, as weights are that nobody trains; not by default. */
  readonly fixed?: readonly boolean[];
}

/** What a kernel computes with. */
export interface KernelTools {
  /** The plan's functions by their names. */
  readonly functions: Readonly<Record<string, (...args: readonly number[]) => void>>;
  /** Where this thread's scratch memory starts, whose content is anything at first. */
  readonly scratch: number;
  /** Where the memory starts that all threads of the call see, whose content is anything at first. */
  readonly shared: number;
  /** All of WebAssembly's memory: the float at an address is `floats[address / 4]`. */
  readonly floats: Float32Array;
  /** Where a part of an input can be read: where it is, or copied to `to` when WebAssembly does not see it there. Never write to it. */
  readonly read: (to: number, from: bigint, place: Place) => number;
  /** Where a part of an output is to be written: where it will be, or at `at`; call `write` with the result afterwards. */
  readonly target: (at: number, to: bigint, place: Place) => number;
  /** Copies a part of an output to where it belongs, unless it is there. */
  readonly write: (to: bigint, from: number, place: Place) => void;
  /** Which share of the work this thread does. */
  readonly share: Share;
}

/** One of `count` shares, from 0. */
export interface Share {
  readonly index: number;
  readonly count: number;
}

/** A part of a tensor, in bytes. */
export interface Place {
  readonly offset: number;
  readonly bytes: number;
}

/** A part of a kernel's work that ends before the next begins; every thread does its share of it. */
export type Phase = (tools: KernelTools, inputs: readonly bigint[], outputs: readonly bigint[]) => void;

/** How one node is computed. */
export interface KernelPlan {
  readonly functions: readonly FunctionSource[];
  /** How many floats it writes to each output. */
  readonly writes: readonly number[];
  /** Scratch memory of each thread. */
  readonly scratchBytes: number;
  /** Memory that all threads see; none by default. */
  readonly sharedBytes?: number;
  /** Take the addresses of the inputs that are there and of the outputs. */
  readonly phases: readonly Phase[];
}

/**
 * An operator's kernel of our own, in WebAssembly, where ONNX Runtime has none or a slow one.
 *
 * Tensors are in ONNX Runtime's memory, of which WebAssembly sees a part: what it does not see passes through scratch memory in pieces that stay in the
 * cache.
 */
export interface HostKernel {
  readonly operator: string;
  /** The plan for a use that it takes, or undefined: then the node goes to ONNX Runtime, lowered or not. */
  plan(use: KernelUse): KernelPlan | undefined;
}

/** Bytes of one tensor that are worked on at a time: several of them fit into a core's 2 MiB of second-level cache, and most in 1 MiB. */
export const partBytes: number = 256 * 1024;

/** Channels [N, C, ...] as parts that lie together in memory. */
export interface ChannelParts {
  readonly images: number;
  readonly channels: number;
  /** Elements of one channel of one image. */
  readonly pixels: number;
  /** Channels in a part. */
  readonly width: number;
}

/** How a tensor [N, C, ...] is cut, or undefined when a channel's elements are not whole vectors. */
export function channelParts({ dtype, shape: [images = 0, channels = 0, ...sizes] }: KernelType): ChannelParts | undefined {
  const pixels = sizes.reduce((a, b) => a * b, 1);
  if (dtype !== "float32" || images * channels * pixels === 0 || pixels % 4 !== 0) return undefined;
  return { images, channels, pixels, width: Math.min(channels, Math.max(1, Math.floor(partBytes / (pixels * 4)))) };
}

/** Calls back for every part of a share: its first channel, how many it has, and its place in the tensor. */
export function eachPart(
  { images, channels, pixels, width }: ChannelParts,
  { index, count: shares }: Share,
  visit: (part: { readonly image: number; readonly channel: number; readonly count: number; readonly place: Place }) => void,
): void {
  let part = 0;
  for (let image = 0; image < images; image += 1) {
    for (let channel = 0; channel < channels; channel += width, part += 1) {
      if (part % shares !== index) continue;
      const count = Math.min(width, channels - channel);
      visit({ image, channel, count, place: { offset: (image * channels + channel) * pixels * 4, bytes: count * pixels * 4 } });
    }
  }
}

/** The most shares that a kernel's work is cut into. */
export const mostShares = 8;

/** The part of `length` items that a share has. */
export function rangeOf({ index, count }: Share, length: number): { readonly begin: number; readonly end: number } {
  return { begin: Math.floor((length * index) / count), end: Math.floor((length * (index + 1)) / count) };
}

/** Vectors worked on side by side, so that one sum need not wait for another; a channel's vectors are a multiple of it or it is smaller. */
export function sideBySide(pixels: number): number {
  return [8, 4, 2].find((count) => pixels % (4 * count) === 0) ?? 1;
}

/** The sum of vectors. */
export function addAll(code: FunctionBuilder, values: readonly Local[]): Local {
  const [first, ...others] = values;
  if (first === undefined) return code.constant(0);
  return others.reduce((sum, value) => code.vector("add", [sum, value]), first);
}
