import { EspalierError } from "../errors.ts";
import {
  activation,
  add,
  batchNormalization,
  conv2D,
  dense,
  depthwiseConv2D,
  dropout,
  globalAveragePooling2D,
  Network,
  zeroPadding2D,
} from "../layers/index.ts";
import type { Value } from "../operators/operator.ts";
import { headUnits, type Head } from "./head.ts";
import { checkImageShape, stemFor, type ImageShape, type Stem } from "./image-shape.ts";
import type { Model } from "./model.ts";

/** What a MobileNetV2 is made of. */
export interface MobileNetV2Options {
  /** The image input's name: its column. Default `image`. */
  readonly input?: string;
  readonly shape: ImageShape;
  readonly head: Head;
  /** Times the filters of every layer but the last convolution's when it is below 1. Default 1. */
  readonly alpha?: number;
  /** Default: by the image's size. */
  readonly stem?: Stem;
  /** Before the last layer. Default 0.2, as in the paper's classifier. */
  readonly dropoutRate?: number;
  readonly seed?: number;
}

/** Table 2 of the paper: expansion, filters, blocks, stride of the first. */
const plan: readonly (readonly [expansion: number, filters: number, blocks: number, strides: number])[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

/**
 * MobileNetV2: inverted residual blocks of depthwise convolutions. With 1000 classes it has 3,504,872 trained parameters, as in Keras Applications.
 *
 * @throws ARGUMENT_INVALID for an alpha that is not above 0 or a shape that is not three sizes from 1
 * @see M. Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks (2018), https://arxiv.org/abs/1801.04381
 */
export function mobileNetV2({
  input = "image",
  shape,
  head,
  alpha = 1,
  stem = stemFor(shape),
  dropoutRate = 0.2,
  seed = 0,
}: MobileNetV2Options): Model {
  checkImageShape("mobileNetV2", shape);
  if (!(alpha > 0 && Number.isFinite(alpha))) {
    throw new EspalierError("ARGUMENT_INVALID", `mobileNetV2: alpha must be a number above 0, not ${alpha}`, { alpha });
  }
  const { units, output } = headUnits(head);
  const network = new Network("mobilenet-v2", { seed });
  const write = blockWriter(network);
  const photograph = stem === "photograph";
  let x = write.convolution("stem", network.input(input, shape), { filters: divisible(32 * alpha), kernelSize: 3, strides: photograph ? 2 : 1 });
  for (const [stage, [expansion, filters, blocks, strides]] of plan.entries()) {
    for (let block = 0; block < blocks; block += 1) {
      const stride = block === 0 && (photograph || stage > 1) ? strides : 1; // the small form keeps its size until the third stage
      x = write.block(x, { name: `stage${stage + 1}_block${block + 1}`, expansion, filters: divisible(filters * alpha), strides: stride });
    }
  }
  x = write.convolution("last", x, { filters: alpha > 1 ? divisible(1280 * alpha) : 1280, kernelSize: 1, strides: 1 });
  x = network.apply(globalAveragePooling2D({ name: "pool" }), x);
  if (dropoutRate > 0) x = network.apply(dropout({ rate: dropoutRate, name: "dropout" }), x);
  network.output(output, network.apply(dense({ units, name: "head" }), x));
  return network.build({ name: "mobilenet-v2", shape, alpha, stem, dropoutRate, units, seed });
}

interface Convolution {
  readonly filters: number;
  readonly kernelSize: number;
  readonly strides: number;
}

interface Block {
  readonly name: string;
  readonly expansion: number;
  readonly filters: number;
  readonly strides: number;
}

interface BlockWriter {
  convolution(name: string, x: Value, options: Convolution): Value;
  block(x: Value, block: Block): Value;
}

function blockWriter(network: Network): BlockWriter {
  // As in PyTorch: with the paper's 0.99 and 126 images, 15 epochs left the running statistics behind, and every answer was one class.
  const normalized = (name: string, x: Value): Value => network.apply(batchNormalization({ momentum: 0.9, epsilon: 1e-3, name: `${name}_bn` }), x);
  const rectified = (name: string, x: Value): Value => network.apply(activation({ activation: "relu6", name: `${name}_relu` }), normalized(name, x));
  const padded = (name: string, x: Value, kernelSize: number): Value =>
    kernelSize === 1 ? x : network.apply(zeroPadding2D({ padding: (kernelSize - 1) / 2, name: `${name}_pad` }), x);
  const plain = (name: string, x: Value, { filters, kernelSize, strides }: Convolution): Value =>
    network.apply(
      conv2D({ filters, kernelSize, strides, useBias: false, kernelInitializer: "heNormal", name: `${name}_conv` }),
      padded(name, x, kernelSize),
    );
  return {
    convolution: (name, x, options) => rectified(name, plain(name, x, options)),
    block(x, { name, expansion, filters, strides }) {
      const channels = Number(x.shape[1]);
      let y = x;
      if (expansion > 1) y = rectified(`${name}_expand`, plain(`${name}_expand`, x, { filters: expansion * channels, kernelSize: 1, strides: 1 }));
      const each = depthwiseConv2D({ kernelSize: 3, strides, useBias: false, depthwiseInitializer: "heNormal", name: `${name}_depthwise_conv` });
      y = rectified(`${name}_depthwise`, network.apply(each, padded(`${name}_depthwise`, y, 3)));
      y = normalized(`${name}_project`, plain(`${name}_project`, y, { filters, kernelSize: 1, strides: 1 }));
      return strides === 1 && channels === filters ? network.apply(add({ name: `${name}_add` }), x, y) : y;
    },
  };
}

/** Filters in eights, at least eight, and not more than a tenth below what was asked for. */
function divisible(filters: number): number {
  const rounded = Math.max(8, Math.floor((filters + 4) / 8) * 8);
  return rounded < 0.9 * filters ? rounded + 8 : rounded;
}
