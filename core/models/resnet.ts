import { EspalierError } from "../errors.ts";
import {
  activation,
  add,
  batchNormalization,
  conv2D,
  dense,
  globalAveragePooling2D,
  maxPooling2D,
  Network,
  zeroPadding2D,
  type InitializerContext,
} from "../layers/index.ts";
import type { Value } from "../operators/operator.ts";
import { elementCount } from "../tensor.ts";
import { headUnits, type Head } from "./head.ts";
import { checkImageShape, stemFor, type ImageShape, type Stem } from "./image-shape.ts";
import type { Model } from "./model.ts";

/** Which of the family: layers with parameters on the longest path. */
export type ResNetDepth = 18 | 34 | 50;

/** What a residual network is made of. */
export interface ResNetOptions {
  readonly depth?: ResNetDepth;
  /** Filters of the first stage; each stage after it has twice the filters of the one before. Default 64. Half of it is a quarter of the parameters and of the work. */
  readonly width?: number;
  /** The image input's name: its column. Default `image`. */
  readonly input?: string;
  readonly shape: ImageShape;
  readonly head: Head;
  /** Default: by the image's size. */
  readonly stem?: Stem;
  readonly seed?: number;
}

/** Blocks of each stage; a bottleneck's output has four times its width. */
const plans: Readonly<Record<ResNetDepth, { readonly blocks: readonly number[]; readonly expansion: 1 | 4 }>> = {
  18: { blocks: [2, 2, 2, 2], expansion: 1 },
  34: { blocks: [3, 4, 6, 3], expansion: 1 },
  50: { blocks: [3, 4, 6, 3], expansion: 4 },
};

/**
 * ResNet-18, -34 or -50, version 1.5: the stride of a bottleneck is in its 3x3 convolution.
 *
 * With the photograph's stem and 1000 classes it has 11,689,512, 21,797,672 or 25,557,032 parameters.
 *
 * @throws ARGUMENT_INVALID for another depth, a width or a shape that is not of whole numbers from 1
 * @see K. He et al., Deep residual learning for image recognition (2016), https://arxiv.org/abs/1512.03385
 */
export function resNet({ depth = 18, width = 64, input = "image", shape, head, stem = stemFor(shape), seed = 0 }: ResNetOptions): Model {
  checkImageShape("resNet", shape);
  const plan = Object.hasOwn(plans, depth) ? plans[depth] : undefined;
  if (plan === undefined) {
    throw new EspalierError("ARGUMENT_INVALID", `resNet: depth must be ${Object.keys(plans).join(", ")}, not ${String(depth)}`, { depth });
  }
  if (!Number.isSafeInteger(width) || width < 1) {
    throw new EspalierError("ARGUMENT_INVALID", `resNet: width must be a whole number from 1, not ${width}`, { width });
  }
  const { units, output } = headUnits(head);
  const network = new Network(`resnet-${depth}`, { seed });
  const write = blockWriter(network);
  let x = network.input(input, shape);
  if (stem === "photograph") {
    x = write.convolution("stem", x, { filters: width, kernelSize: 7, strides: 2 });
    x = network.apply(zeroPadding2D({ padding: 1, name: "stem_pool_pad" }), x); // after a rectifier zero is the least: the same as padding with -infinity
    x = network.apply(maxPooling2D({ poolSize: 3, strides: 2, name: "stem_pool" }), x);
  } else {
    x = write.convolution("stem", x, { filters: width, kernelSize: 3, strides: 1 });
  }
  for (const [stage, blocks] of plan.blocks.entries()) {
    for (let block = 0; block < blocks; block += 1) {
      const place = { name: `stage${stage + 1}_block${block + 1}`, filters: width * 2 ** stage, strides: stage > 0 && block === 0 ? 2 : 1 };
      x = plan.expansion === 1 ? write.basic(x, place) : write.bottleneck(x, place);
    }
  }
  x = network.apply(globalAveragePooling2D({ name: "pool" }), x);
  network.output(output, network.apply(dense({ units, name: "head" }), x));
  return network.build({ name: `resnet-${depth}`, depth, width, shape, stem, units, seed });
}

interface Convolution {
  readonly filters: number;
  readonly kernelSize: number;
  readonly strides: number;
  readonly rectified?: boolean;
}

interface Block {
  readonly name: string;
  readonly filters: number;
  readonly strides: number;
}

interface BlockWriter {
  convolution(name: string, x: Value, options: Convolution): Value;
  basic(x: Value, block: Block): Value;
  bottleneck(x: Value, block: Block): Value;
}

function blockWriter(network: Network): BlockWriter {
  const convolution = (name: string, x: Value, { filters, kernelSize, strides, rectified = true }: Convolution): Value => {
    const padding = (kernelSize - 1) / 2;
    const padded = padding === 0 ? x : network.apply(zeroPadding2D({ padding, name: `${name}_pad` }), x);
    const convolved = network.apply(
      conv2D({ filters, kernelSize, strides, useBias: false, kernelInitializer: fanOutNormal, name: `${name}_conv` }),
      padded,
    );
    const normal = network.apply(batchNormalization({ momentum: 0.9, epsilon: 1e-5, name: `${name}_bn` }), convolved);
    return rectified ? network.apply(activation({ activation: "relu", name: `${name}_relu` }), normal) : normal;
  };
  const join = (x: Value, branch: Value, { name, strides }: Block): Value => {
    const filters = Number(branch.shape[1]);
    const same = strides === 1 && x.shape[1] === filters;
    const shortcut = same ? x : convolution(`${name}_shortcut`, x, { filters, kernelSize: 1, strides, rectified: false });
    return network.apply(activation({ activation: "relu", name: `${name}_relu` }), network.apply(add({ name: `${name}_add` }), branch, shortcut));
  };
  return {
    convolution,
    basic(x, block) {
      const { name, filters, strides } = block;
      const first = convolution(`${name}_1`, x, { filters, kernelSize: 3, strides });
      return join(x, convolution(`${name}_2`, first, { filters, kernelSize: 3, strides: 1, rectified: false }), block);
    },
    bottleneck(x, block) {
      const { name, filters, strides } = block;
      const narrow = convolution(`${name}_1`, x, { filters, kernelSize: 1, strides: 1 });
      const middle = convolution(`${name}_2`, narrow, { filters, kernelSize: 3, strides });
      return join(x, convolution(`${name}_3`, middle, { filters: 4 * filters, kernelSize: 1, strides: 1, rectified: false }), block);
    },
  };
}

/** He's normal initialiser by the fan out, which keeps the size of gradients; not cut off. */
function fanOutNormal({ shape, fanOut, random }: InitializerContext): Float32Array {
  return random.normals(elementCount(shape), { standardDeviation: Math.sqrt(2 / fanOut) });
}
