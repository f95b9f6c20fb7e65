import { EspalierError } from "../errors.ts";
import { concatenate, conv2D, conv2DTranspose, dropout, maxPooling2D, Network } from "../layers/index.ts";
import type { Value } from "../operators/operator.ts";
import { headUnits, type Head } from "./head.ts";
import { checkImageShape, type ImageShape } from "./image-shape.ts";
import type { Model } from "./model.ts";

/** What a U-Net is made of. */
export interface UNetOptions {
  /** The image input's name: its column. Default `image`. */
  readonly input?: string;
  /** Height and width divide by 2 to the power of the depth. */
  readonly shape: ImageShape;
  /** What is answered at every place. */
  readonly head: Head;
  /** Filters of the first level; each level below has twice as many. Default 64, as in the paper. */
  readonly filters?: number;
  /** Levels below the first. Default 4. */
  readonly depth?: number;
  /** In the lowest level. Default 0. */
  readonly dropoutRate?: number;
  readonly seed?: number;
}

/**
 * U-Net, for answers at every place of an image: an output of [batch, classes, height, width] logits (or predictions).
 *
 * Convolutions are padded, so that the output is as large as the image. With one channel, two classes and the defaults it has 31,030,658 parameters: the
 * paper's kernels, and a bias for each filter.
 *
 * @throws ARGUMENT_INVALID when the image cannot be halved so often
 * @see O. Ronneberger et al., U-Net: convolutional networks for biomedical image segmentation (2015), https://arxiv.org/abs/1505.04597
 */
export function uNet({ input = "image", shape, head, filters = 64, depth = 4, dropoutRate = 0, seed = 0 }: UNetOptions): Model {
  checkImageShape("uNet", shape);
  const [, height, width] = shape;
  if (!Number.isSafeInteger(depth) || depth < 1 || height % 2 ** depth !== 0 || width % 2 ** depth !== 0) {
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `uNet: an image of ${height}x${width} cannot be halved ${depth} times; pad it to a multiple of ${2 ** depth}, or set depth lower`,
      { shape, depth },
    );
  }
  const { units, output } = headUnits(head);
  const network = new Network("u-net", { seed });
  const twice = (name: string, x: Value, count: number): Value =>
    ["1", "2"].reduce((y, which) => {
      const layer = conv2D({
        filters: count,
        kernelSize: 3,
        padding: "same",
        activation: "relu",
        kernelInitializer: "heNormal",
        name: `${name}_${which}`,
      });
      return network.apply(layer, y);
    }, x);

  const levels: Value[] = [];
  let x = network.input(input, shape);
  for (let level = 0; level < depth; level += 1) {
    const full = twice(`down${level + 1}`, x, filters * 2 ** level);
    levels.push(full);
    x = network.apply(maxPooling2D({ name: `down${level + 1}_pool` }), full);
  }
  x = twice("bottom", x, filters * 2 ** depth);
  if (dropoutRate > 0) x = network.apply(dropout({ rate: dropoutRate, name: "bottom_dropout" }), x);
  for (const [above, full] of [...levels.entries()].toReversed()) {
    const count = filters * 2 ** above;
    const name = `up${above + 1}`;
    x = network.apply(conv2DTranspose({ filters: count, kernelSize: 2, strides: 2, kernelInitializer: "heNormal", name: `${name}_transpose` }), x);
    x = twice(name, network.apply(concatenate({ name: `${name}_concatenate` }), full, x), count);
  }
  network.output(output, network.apply(conv2D({ filters: units, kernelSize: 1, name: "head" }), x));
  return network.build({ name: "u-net", shape, filters, depth, dropoutRate, units, seed });
}
