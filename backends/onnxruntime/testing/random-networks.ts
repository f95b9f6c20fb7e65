import {
  activation,
  averagePooling2D,
  batchNormalization,
  conv2D,
  dense,
  depthwiseConv2D,
  flatten,
  globalAveragePooling2D,
  groupNormalization,
  layerNormalization,
  maxPooling2D,
  Network,
  Random,
  tensor,
  tokenAndPositionEmbedding,
  transformerBlock,
  zeroPadding2D,
  type ActivationName,
  type Layer,
  type Model,
  type Tensors,
} from "../../../core/index.ts";

/** A small network and a batch for it. */
export interface RandomNetwork {
  readonly model: Model;
  /** `x` and `labels`. */
  readonly feeds: Tensors;
  /** Its batch, input and layers. */
  readonly text: string;
}

const classes = 3;
const activations: readonly ActivationName[] = ["relu", "relu6", "gelu", "silu", "tanh", "elu", "hardSwish", "sigmoid", "softplus", "leakyRelu"];

/** The network of a seed: convolutions of images, or attention over tokens at every third. */
export function randomNetwork(seed: number): RandomNetwork {
  const draw = new Draw(seed);
  return seed % 3 === 2 ? overTokens(draw, seed) : overImages(draw, seed);
}

function overImages(draw: Draw, seed: number): RandomNetwork {
  const [batch, channels] = [draw.whole(1, 4), draw.pick([1, 3, 4, 8, 16, 20])];
  const image: Image = { channels, height: draw.whole(5, 14), width: draw.whole(5, 14) };
  const shape = [channels, image.height, image.width];
  const layers = Array.from({ length: draw.whole(2, 5) }, () => draw.pick(pieces)(draw, image)).flat();
  layers.push(draw.pick([flatten, globalAveragePooling2D])({}), dense({ units: classes }));
  return network(
    { seed, batch, shape, layers },
    tensor("float32", [batch, ...shape], draw.random.uniforms(batch * size(shape), { low: -1.5, high: 1.5 })),
  );
}

function overTokens(draw: Draw, seed: number): RandomNetwork {
  const [batch, length, width, vocabulary] = [draw.whole(1, 4), draw.whole(1, 9), draw.pick([4, 8, 12, 20]), draw.pick([5, 40])];
  const layers: Layer[] = [tokenAndPositionEmbedding({ vocabularySize: vocabulary, sequenceLength: length, embeddingDim: width })];
  for (let block = draw.whole(1, 2); block > 0; block -= 1) {
    const [heads, hidden, normalize] = [draw.pick([1, 2, 4]), draw.pick([width, 6, 24]), draw.pick(["before", "after"] as const)];
    layers.push(transformerBlock({ heads, hidden, normalize, causal: draw.isLucky(), activation: draw.pick(["gelu", "relu", "silu"] as const) }));
    if (draw.isLucky()) layers.push(layerNormalization(), dense({ units: width, activation: draw.pick(activations) }));
  }
  layers.push(flatten(), dense({ units: classes }));
  const tokens = Int32Array.from({ length: batch * length }, () => draw.whole(0, vocabulary - 1));
  return network({ seed, batch, shape: [length], layers }, tensor("int32", [batch, length], tokens));
}

interface Parts {
  readonly seed: number;
  readonly batch: number;
  readonly shape: readonly number[];
  readonly layers: readonly Layer[];
}

function network({ seed, batch, shape, layers }: Parts, x: Tensors[string]): RandomNetwork {
  const made = new Network(`random ${seed}`, { seed });
  const first = made.input("x", shape, { dtype: x.dtype });
  made.output(
    "logits",
    layers.reduce((value, layer) => made.apply(layer, value), first),
  );
  const labels = tensor(
    "int32",
    [batch],
    Array.from({ length: batch }, (_, i) => (i + seed) % classes),
  );
  return { model: made.build(), feeds: { x, labels }, text: `${[batch, ...shape].join("x")} ${layers.map(({ kind }) => kind).join(" ")}` };
}

/** What a layer is given; pieces say what comes out. */
interface Image {
  channels: number;
  height: number;
  width: number;
}

/** Layers that are often together, with windows and paddings of all kinds. */
const pieces: readonly ((draw: Draw, image: Image) => readonly Layer[])[] = [
  convolution,
  convolution,
  (draw, image) => [
    batchNormalization(),
    activation({ activation: draw.pick(["relu", "relu6"] as const) }),
    ...depthwise(draw, image),
    batchNormalization(),
  ],
  depthwise,
  (draw) => [batchNormalization(), activation({ activation: draw.pick(activations) })],
  (draw, image) => [residual(image.channels, draw), activation({ activation: "relu" })],
  (draw, image) => [activation({ activation: "relu" }), ...pooling(draw, image)],
  pooling,
  (_, { channels }) => [groupNormalization({ groups: channels % 4 === 0 ? 4 : 1, axis: 1 })],
  (draw, image) => {
    const [top, bottom, left, right] = [draw.whole(0, 2), draw.whole(0, 2), draw.whole(0, 2), draw.whole(0, 2)];
    image.height += top + bottom;
    image.width += left + right;
    return [
      zeroPadding2D({
        padding: [
          [top, bottom],
          [left, right],
        ],
      }),
      ...convolution(draw, image),
    ];
  },
];

function convolution(draw: Draw, image: Image): readonly Layer[] {
  const [kernelSize, strides, padding] = window(draw, image);
  image.channels = draw.pick([2, 3, 8, 16, 20, 32]);
  return [
    conv2D({ filters: image.channels, kernelSize, strides, padding, useBias: draw.isLucky(), activation: draw.pick(["linear", ...activations]) }),
  ];
}

function depthwise(draw: Draw, image: Image): readonly Layer[] {
  const [kernelSize, strides, padding] = window(draw, image);
  return [depthwiseConv2D({ kernelSize, strides, padding, useBias: draw.isLucky() })];
}

function pooling(draw: Draw, image: Image): readonly Layer[] {
  const [poolSize, strides, padding] = window(draw, image);
  return [draw.pick([maxPooling2D, averagePooling2D])({ poolSize, strides, padding })];
}

/** A window that leaves something of the image. */
function window(draw: Draw, image: Image): readonly [size: readonly [number, number], strides: number, padding: "same" | "valid"] {
  const [rows, columns] = draw.pick([
    [1, 1],
    [2, 2],
    [3, 3],
    [3, 3],
    [1, 3],
    [3, 2],
    [5, 5],
  ] as const);
  const [strides, isValid] = [draw.pick([1, 1, 2, 3]), draw.isLucky() && image.height >= rows + 2 && image.width >= columns + 2];
  image.height = Math.ceil((image.height - (isValid ? rows - 1 : 0)) / strides);
  image.width = Math.ceil((image.width - (isValid ? columns - 1 : 0)) / strides);
  return [[rows, columns], strides, isValid ? "valid" : "same"];
}

function residual(channels: number, draw: Draw): Layer {
  const layers = [
    draw.isLucky()
      ? conv2D({ filters: channels, kernelSize: 3, padding: "same", useBias: false })
      : depthwiseConv2D({ kernelSize: 3, padding: "same" }),
    batchNormalization(),
  ];
  return {
    kind: "Residual",
    config: {},
    apply(context, x) {
      const branch = layers.reduce((value, layer) => context.apply(layer, value), x);
      return context.emit.op("Add", [x, branch]);
    },
  };
}

function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Drawn from a seed. */
class Draw {
  readonly random: Random;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** From `low` to `high`. */
  whole(low: number, high: number): number {
    return Math.floor(this.random.uniform(low, high + 1));
  }

  isLucky(): boolean {
    return this.random.uniform(0, 1) < 0.5;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.whole(0, items.length - 1)] as T; // callers give some
  }
}
