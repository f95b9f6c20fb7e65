import { EspalierError } from "../errors.ts";
import { conv2D, dense, dropout, layerNormalization, Network, type InitializerContext, type Layer } from "../layers/index.ts";
import { named, type LayerName } from "../layers/layer.ts";
import { answerToken, firstToken } from "./answer-token.ts";
import { headUnits, type Head } from "./head.ts";
import { checkImageShape, type ImageShape } from "./image-shape.ts";
import type { Model } from "./model.ts";
import { transformerBlock } from "./transformer-block.ts";

/** What a vision transformer is made of. */
export interface VisionTransformerOptions {
  /** The image input's name: its column. Default `image`. */
  readonly input?: string;
  /** Height and width divide by the patch. */
  readonly shape: ImageShape;
  readonly head: Head;
  /** Height and width of a patch. Default 16, or 4 for images below 96. */
  readonly patch?: number;
  readonly width?: number;
  readonly layers?: number;
  readonly heads?: number;
  readonly dropoutRate?: number;
  readonly seed?: number;
}

/**
 * ViT: patches of an image as tokens, one more token that gathers the answer, blocks of attention.
 *
 * The defaults are ViT-Ti's; with 224 x 224 pixels, patches of 16 and 1000 classes it has 5,717,416 parameters.
 *
 * @throws ARGUMENT_INVALID when the image does not divide into patches
 * @see A. Dosovitskiy et al., An image is worth 16x16 words (2021), https://arxiv.org/abs/2010.11929
 */
export function visionTransformer({
  input = "image",
  shape,
  head,
  patch = Math.min(shape[1], shape[2]) < 96 ? 4 : 16,
  width = 192,
  layers = 12,
  heads = 3,
  dropoutRate = 0,
  seed = 0,
}: VisionTransformerOptions): Model {
  checkImageShape("visionTransformer", shape);
  const [, height, breadth] = shape;
  if (!Number.isSafeInteger(patch) || patch < 1 || height % patch !== 0 || breadth % patch !== 0) {
    throw new EspalierError("ARGUMENT_INVALID", `visionTransformer: ${height}x${breadth} pixels do not divide into patches of ${patch}x${patch}`, {
      shape,
      patch,
    });
  }
  const { units, output } = headUnits(head);
  const network = new Network("vision-transformer", { seed });
  const patches = network.apply(conv2D({ filters: width, kernelSize: patch, strides: patch, name: "patches" }), network.input(input, shape));
  let x = network.apply(answerToken({ initializer: "zeros", name: "answer" }), network.apply(patchTokens({ name: "tokens" }), patches));
  x = network.apply(places({ name: "places" }), x);
  if (dropoutRate > 0) x = network.apply(dropout({ rate: dropoutRate, name: "places_dropout" }), x);
  for (let i = 1; i <= layers; i += 1) x = network.apply(transformerBlock({ heads, dropoutRate, epsilon: 1e-6, name: `block${i}` }), x);
  x = network.apply(firstToken({ name: "pool" }), network.apply(layerNormalization({ epsilon: 1e-6, name: "norm" }), x));
  network.output(output, network.apply(dense({ units, name: "head" }), x));
  return network.build({ name: "vision-transformer", shape, patch, width, layers, heads, dropoutRate, units, seed });
}

/** [batch, width, rows, columns] -> [batch, rows columns, width]. */
function patchTokens(common: LayerName): Layer {
  return {
    kind: "PatchTokens",
    ...named(common),
    config: {},
    apply({ emit }, x) {
      const [, width = 0, rows = 0, columns = 0] = x.shape.map(Number); // a convolution's output
      return emit.op("Transpose", [emit.op("Reshape", [x, emit.ints([-1, width, rows * columns])])], { perm: [0, 2, 1] });
    },
  };
}

/** Adds a learned vector to each place: [batch, n, width] -> the same shape. */
function places(common: LayerName): Layer {
  return {
    kind: "Places",
    ...named(common),
    config: {},
    apply({ emit, parameter }, x) {
      const [, n = 0, width = 0] = x.shape.map(Number); // tokens have both
      const initializer = ({ random }: InitializerContext): Float32Array => random.normals(n * width, { standardDeviation: 0.02 });
      return emit.op("Add", [x, parameter("vectors", [n, width], { initializer })]);
    },
  };
}
