import { EspalierError } from "../errors.ts";
import { conv2D } from "../layers/conv.ts";
import { dense } from "../layers/dense.ts";
import { flatten } from "../layers/reshaping.ts";
import type { Layer } from "../layers/layer.ts";
import { maxPooling2D } from "../layers/pooling.ts";
import { sequential } from "../layers/sequential.ts";
import { headUnits, type Head } from "./head.ts";
import type { Model } from "./model.ts";

/** What a small convolutional network is made of. */
export interface ConvNetOptions {
  /** The image input's name: its column. Default `image`. */
  readonly input?: string;
  readonly shape: readonly [channels: number, height: number, width: number];
  readonly head: Head;
  /** Filters of each 3x3 convolution; each is followed by a 2x2 pooling while the image is large enough. */
  readonly filters?: readonly number[];
  /** Units of the dense layer before the last. */
  readonly units?: number;
  readonly seed?: number;
}

/** Smaller images are not halved again: 8x8 -> 4x4 -> 2x2 is where a 3x3 kernel still sees more than padding. */
const smallestPooled = 4;

/**
 * Convolutions and poolings, then two dense layers: LeNet's plan with rectifiers, for small images such as 8x8 or 28x28 digits.
 *
 * @throws ARGUMENT_INVALID for a shape that is not three sizes from 1
 * @see Y. LeCun et al., Gradient-based learning applied to document recognition (1998)
 */
export function convNet({ input = "image", shape, head, filters = [32, 64], units = 128, seed = 0 }: ConvNetOptions): Model {
  const [channels, height, width] = shape;
  if ((shape.length as number) !== 3 || ![channels, height, width].every((size) => Number.isSafeInteger(size) && size >= 1)) {
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `convNet: shape must be [channels, height, width] of whole numbers from 1, not [${shape.join(", ")}]`,
      { shape },
    );
  }
  const { units: outputs, output } = headUnits(head);
  const layers: Layer[] = [];
  let smaller = Math.min(height, width);
  for (const count of filters) {
    layers.push(conv2D({ filters: count, kernelSize: 3, padding: "same", activation: "relu", kernelInitializer: "heNormal" }));
    if (smaller < smallestPooled) continue;
    layers.push(maxPooling2D({ poolSize: 2 }));
    smaller = Math.floor(smaller / 2);
  }
  layers.push(flatten(), dense({ units, activation: "relu", kernelInitializer: "heNormal" }), dense({ units: outputs }));
  return sequential({
    name: "conv-net",
    input: { name: input, shape },
    layers,
    output,
    seed,
    config: { name: "conv-net", shape, filters, units, outputs, seed },
  });
}
