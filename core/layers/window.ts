import type { Value } from "../operators/operator.ts";
import { checkChoice } from "../nearest.ts";
import { featureSizes } from "./argument.ts";
import type { LayerContext } from "./layer.ts";

/** `valid`: whole windows only. `same`: zeros around, so that the output has ceil(size / stride) places. */
export type Padding = "valid" | "same";

/** How a window moves over the spatial axes. */
export interface WindowOptions {
  readonly size: readonly number[];
  readonly strides: readonly number[];
  readonly dilations?: readonly number[];
  /** `causal`, over one axis: zeros before it only, so that no place sees a later one. */
  readonly padding: Padding | "causal";
}

/** @throws ARGUMENT_INVALID with the nearest */
export function checkPadding(where: string, padding: WindowOptions["padding"], { causal = false }: { readonly causal?: boolean } = {}): void {
  checkChoice(where, "padding", padding, causal ? ["valid", "same", "causal"] : ["valid", "same"]);
}

/** An input's [channels, ...spatial], or a refusal: [batch, channels, ...spatial] with `axes` spatial axes is wanted. */
export function spatialSizes(x: Value, axes: number, fail: LayerContext["fail"]): readonly [channels: number, ...spatial: number[]] {
  const sizes = x.shape.length === axes + 2 ? featureSizes(x) : undefined;
  if (sizes === undefined) return fail(wanted[axes] ?? `takes [batch, channels] and ${axes} more axes`);
  return sizes as [number, ...number[]]; // one channel axis and `axes` more
}

const wanted: Readonly<Record<number, string>> = {
  1: "takes sequences [batch, channels, steps]; put permute({ dims: [2, 1] }) after [batch, steps, features]",
  2: "takes images [batch, channels, height, width]",
  3: "takes volumes [batch, channels, depth, height, width]",
};

/**
 * ONNX's pads, all the begins and then all the ends, of a window over the spatial axes; where `same` needs an odd number, the larger half is at the
 * end, as in TensorFlow.
 *
 * Refuses a window that is larger than a `valid` image.
 */
export function windowPads(
  spatial: readonly number[],
  { size, strides, dilations = size.map(() => 1), padding }: WindowOptions,
  fail: LayerContext["fail"],
): readonly number[] {
  const extents = size.map((length, i) => 1 + (length - 1) * (dilations[i] ?? 1));
  if (padding === "causal") return [...extents.map((extent) => extent - 1), ...size.map(() => 0)];
  if (padding === "valid") {
    if (extents.some((extent, i) => extent > (spatial[i] ?? 0))) {
      const what = spatial.length === 2 ? "an image" : "an input";
      return fail(`a window of ${extents.join("x")} does not fit into ${what} of ${spatial.join("x")}; use padding "same" or a smaller window`);
    }
    return [...size, ...size].map(() => 0);
  }
  const total = spatial.map((length, i) => {
    const stride = strides[i] ?? 1;
    return Math.max((Math.ceil(length / stride) - 1) * stride + (extents[i] ?? 1) - length, 0);
  });
  const before = total.map((pad) => Math.floor(pad / 2));
  return [...before, ...total.map((pad, i) => pad - (before[i] ?? 0))];
}
