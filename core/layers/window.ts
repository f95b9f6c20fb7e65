import type { Value } from "../operators/operator.ts";
import { featureSizes } from "./argument.ts";
import type { LayerContext } from "./layer.ts";

/** `valid`: whole windows only. `same`: zeros around, so that the output has ceil(size / stride) places. */
export type Padding = "valid" | "same";

/** How a window moves over an image. */
export interface WindowOptions {
  readonly size: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations?: readonly [number, number];
  readonly padding: Padding;
}

/** An image's [channels, height, width], or a refusal: [batch, channels, height, width] is wanted. */
export function imageSizes(x: Value, fail: LayerContext["fail"]): readonly [channels: number, height: number, width: number] {
  const sizes = x.shape.length === 4 ? featureSizes(x) : undefined;
  if (sizes === undefined) return fail("takes images [batch, channels, height, width]");
  return sizes as [number, number, number]; // of four dimensions one is the batch
}

/**
 * ONNX's pads [top, left, bottom, right] of a window over an image; where `same` needs an odd number, the larger half is at the end, as in TensorFlow.
 *
 * Refuses a window that is larger than a `valid` image.
 */
export function windowPads(
  image: readonly [number, number],
  { size, strides, dilations = [1, 1], padding }: WindowOptions,
  fail: LayerContext["fail"],
): readonly number[] {
  const extents = [1 + (size[0] - 1) * dilations[0], 1 + (size[1] - 1) * dilations[1]] as const;
  if (padding === "valid") {
    if (extents[0] > image[0] || extents[1] > image[1]) {
      return fail(`a window of ${extents.join("x")} does not fit into an image of ${image.join("x")}; use padding "same" or a smaller window`);
    }
    return [0, 0, 0, 0];
  }
  const total = [0, 1].map((i) => {
    const [length, stride, extent] = [image[i], strides[i], extents[i]] as [number, number, number]; // i is 0 or 1
    return Math.max((Math.ceil(length / stride) - 1) * stride + extent - length, 0);
  }) as [number, number]; // two axes
  const before = total.map((pad) => Math.floor(pad / 2)) as [number, number]; // two axes
  return [...before, total[0] - before[0], total[1] - before[1]];
}
