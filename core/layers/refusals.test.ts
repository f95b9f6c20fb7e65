import { describe, expect, test } from "vitest";
import type { DType } from "../tensor.ts";
import {
  averagePooling3D,
  batchNormalization,
  bidirectional,
  concatenate,
  conv1D,
  conv2D,
  conv2DTranspose,
  conv3D,
  cropping2D,
  dense,
  depthwiseConv2D,
  discretization,
  dot,
  elu,
  embedding,
  globalAveragePooling1D,
  globalAveragePooling2D,
  groupedQueryAttention,
  groupNormalization,
  gru,
  layerNormalization,
  leakyReLU,
  lstm,
  masking,
  maxPooling1D,
  maxPooling2D,
  multiHeadAttention,
  multiply,
  Network,
  normalization,
  permute,
  positionEmbedding,
  prelu,
  reLU,
  repeatVector,
  reshape,
  rescaling,
  rmsNormalization,
  rotaryEmbedding,
  separableConv2D,
  simpleRNN,
  softmax,
  subtract,
  timeDistributed,
  unitNormalization,
  upSampling2D,
  zeroPadding2D,
  type BatchNormalizationOptions,
  type Conv2DOptions,
  type DenseOptions,
  type Layer,
  type LstmOptions,
} from "./index.ts";
import type { Value } from "../operators/operator.ts";
import { maxNorm, type Constraint } from "../training/constraint.ts";
import { l2, type Regularizer } from "../training/regularizer.ts";
import type { Initializer } from "./initializer.ts";
import type { RecurrentLayer } from "./recurrent.ts";

/** Two layers as one. */
function sequentialOf(first: Layer, second: Layer): Layer {
  return { kind: "Two", config: {}, apply: (context, x) => context.apply(second, context.apply(first, x)) };
}

describe("an input that a layer cannot take: the layer, the input's shape and what it takes", () => {
  test.for<[layer: Layer, shape: readonly number[], message: string, dtype?: DType]>([
    [conv1D({ filters: 1, kernelSize: 2 }), [8], "conv1d (of [batch, 8]): takes sequences [batch, channels, steps]; put permute({ dims: [2, 1] })"],
    [conv3D({ filters: 1, kernelSize: 2 }), [1, 8, 8], "conv3d (of [batch, 1, 8, 8]): takes volumes [batch, channels, depth, height, width]"],
    [conv2DTranspose({ filters: 1, kernelSize: 2 }), [8], "conv2d_transpose (of [batch, 8]): takes images"],
    [conv2D({ filters: 1, kernelSize: 2, dataFormat: "channels_last" }), [8, 8], "takes [batch, height, width, channels]"],
    [maxPooling1D({ dataFormat: "channels_last" }), [8], "takes [batch, steps, channels]"],
    [conv2D({ filters: 1, kernelSize: 9, dataFormat: "channels_last" }), [8, 8, 1], "a window of 9x9 does not fit into an image of 8x8"],
    [depthwiseConv2D({ kernelSize: 9 }), [1, 8, 8], "a window of 9x9 does not fit into an image of 8x8"],
    [separableConv2D({ filters: 1, kernelSize: 3 }), [8, 8], "separable_conv2d (of [batch, 8, 8]): takes images"],
    [maxPooling1D(), [8], "max_pooling1d (of [batch, 8]): takes sequences"],
    [averagePooling3D({ poolSize: 3 }), [1, 2, 3, 3], "a window of 3x3x3 does not fit into an input of 2x3x3"],
    [globalAveragePooling2D(), [3], "takes [batch, channels, height, width]"],
    [globalAveragePooling2D({ dataFormat: "channels_last" }), [3], "takes [batch, height, width, channels]"],
    [upSampling2D(), [3, 3], "up_sampling2d (of [batch, 3, 3]): takes [batch, channels, height, width]"],
    [zeroPadding2D(), [3], "takes [batch, channels, height, width]"],
    [cropping2D({ cropping: 2 }), [1, 4, 9], "cropping [2, 2] leaves nothing of a size of 4"],
    [embedding({ inputDim: 3, outputDim: 2 }), [4], 'takes whole numbers, not float32; give the network\'s input { dtype: "int32" }'],
    [dense({ units: 1 }), [4], "dense/Gemm (Gemm of int32 [batch, 4]", "int32"],
    [batchNormalization({ axis: 3 }), [4], "axis must be one of its dimensions after the batch, not 3"],
    [layerNormalization({ axis: 0 }), [4], "axis must name dimensions after the batch, from 1 to 1 or from the end, not 0"],
    [layerNormalization({ axis: [1, 1] }), [4, 5, 6], "axis must name dimensions after the batch, from 1 to 3 or from the end, not [1,1]"],
    [rmsNormalization({ axis: 5 }), [4], "axis must name dimensions after the batch"],
    [unitNormalization({ axis: -3 }), [4], "axis must name dimensions after the batch"],
    [groupNormalization({ groups: 3 }), [4, 2, 2], "4 channels do not divide into 3 groups"],
    [softmax({ axis: 0 }), [4], "axis must name dimensions after the batch, from 1 to 1 or from the end, not 0"],
    [prelu({ sharedAxes: [2] }), [4], "sharedAxes must be from 1 to 1, not 2"],
    [permute({ dims: [2, 1] }), [4], "dims [2, 1] are for inputs with 2 dimensions after the batch"],
    [repeatVector({ n: 2 }), [4, 4], "takes [batch, features]"],
    [lstm({ units: 2 }), [4], "lstm (of [batch, 4]): takes sequences [batch, steps, features]"],
    [bidirectional({ layer: gru({ units: 2 }) }), [4], "takes sequences [batch, steps, features]"],
    [timeDistributed({ layer: dense({ units: 2 }) }), [4], "takes [batch, steps, ...]"],
    [multiHeadAttention({ numHeads: 2, keyDim: 2 }), [4], "takes sequences [batch, places, size], but the query is [batch, 4]"],
    [positionEmbedding({ sequenceLength: 3 }), [4, 2], "4 places are more than sequenceLength 3"],
    [rotaryEmbedding({ heads: 2 }), [4, 6], "6 features do not make 2 head(s) of an even size"],
    [
      sequentialOf(embedding({ inputDim: 3, outputDim: 2, maskZero: true }), globalAveragePooling1D()),
      [4],
      'steps of its input are masked, so they come before the features; give it dataFormat "channels_last"',
      "int32",
    ],
    [masking(), [4], "takes [batch, steps, features]"],
    [normalization({ mean: [1, 2], variance: [1, 1] }), [4, 3], "2 means and variances do not go with 3 places of axis -1"],
  ])("%#", ([layer, shape, message, dtype = "float32"]) => {
    const network = new Network("n");
    expect(() => network.apply(layer, network.input("x", shape, { dtype }))).toThrow(message);
  });

  test.for<[layer: Layer, shapes: readonly (readonly number[])[], message: string]>([
    [subtract(), [[3], [3], [3]], "takes two inputs, not 3"],
    [multiply(), [[3], [4]], "inputs must have one shape, not [batch, 3] and [batch, 4]"],
    [
      concatenate(),
      [
        [3, 2],
        [4, 3],
      ],
      "inputs must agree in all dimensions but 1: [batch, 3, 2] and [batch, 4, 3] do not",
    ],
    [concatenate({ axis: 0 }), [[3], [3]], "axis must be from 1 to 1, not 0"],
    [dot({ axes: 1 }), [[3], [4]], "dimension 1 of [batch, 3] and 1 of [batch, 4] must have one size"],
    [dot({ axes: 0 }), [[3], [3]], "axis must name dimensions after the batch, from 1 to 1 or from the end, not 0"],
    [
      multiHeadAttention({ numHeads: 1, keyDim: 2 }),
      [
        [3, 2],
        [4, 2],
        [5, 2],
      ],
      "value and key must have one length, not 4 and 5",
    ],
    [simpleRNN({ units: 2 }), [[3, 2], [3]], "first states must be [batch, 2]"],
    [lstm({ units: 2 }), [[3, 2], [2]], "takes the sequence alone or with its 2 first states, not 1"],
  ])("of several inputs, %#", ([layer, shapes, message]) => {
    const network = new Network("n");
    const [first, ...others] = shapes.map((shape, i) => network.input(`x${i}`, shape));
    expect(() => network.apply(layer, first!, ...others)).toThrow(message);
  });
});

test.for<[make: () => unknown, message: string]>([
  [() => conv1D({ filters: 1, kernelSize: 2, padding: "cusal" as "causal" }), 'conv1D: no padding "cusal"; did you mean "causal"'],
  [() => conv2D({ filters: 1, kernelSize: 2, padding: "causal" as "same" }), 'conv2D: no padding "causal"'],
  [
    () => conv2D({ filters: 1, kernelSize: [1, 2, 3] as unknown as number }),
    "conv2D: kernelSize must be one number or [height, width], not [1, 2, 3]",
  ],
  [() => conv2DTranspose({ filters: 1, kernelSize: 2, strides: 2, outputPadding: 2 }), "outputPadding [2, 2] must be smaller than strides [2, 2]"],
  [() => depthwiseConv2D({ kernelSize: 2, depthMultiplier: 0 }), "depthMultiplier must be a whole number from 1, not 0"],
  [() => maxPooling2D({ poolSize: 0 }), "maxPooling2D: poolSize must be a whole number from 1, not 0"],
  [() => embedding({ inputDim: 0, outputDim: 1 }), "embedding: inputDim must be a whole number from 1, not 0"],
  [
    () => dense({ units: 1, kernelInitializer: "heNorml" as "heNormal" }),
    'dense: kernelInitializer: no initialiser "heNorml"; did you mean "heNormal"',
  ],
  [
    () => dense({ units: 1, kernelInitializer: { kind: "randomNormal", stddev: -1 } }),
    "dense: kernelInitializer: stddev must be a number from 0, not -1",
  ],
  [
    () => dense({ units: 1, biasRegularizer: { kind: "l2", l2: -1 } }),
    'dense: biasRegularizer: regularizer "l2": l2 must be a number from 0, not -1',
  ],
  [() => dense({ units: 1, kernelConstraint: { kind: "maxNorm", maxValue: 0, axis: 0 } }), "dense: kernelConstraint:"],
  [() => batchNormalization({ momentum: 2 }), "batchNormalization: momentum must be a number from 0 and at most 1, not 2"],
  [() => layerNormalization({ epsilon: -1 }), "layerNormalization: epsilon must be a number from 0, not -1"],
  [() => groupNormalization({ groups: 0 }), "groupNormalization: groups must be a whole number from 1, not 0"],
  [() => reLU({ maxValue: -1 }), "reLU: maxValue must be a number from 0, not -1"],
  [() => leakyReLU({ negativeSlope: Infinity }), "leakyReLU: negativeSlope must be a number from 0, not Infinity"],
  [() => elu({ alpha: NaN }), "elu: alpha must be a number, not NaN"],
  [() => permute({ dims: [1, 1] }), "permute: dims must name each of 1 to 2 once, not [1, 1]"],
  [() => repeatVector({ n: 1.5 }), "repeatVector: n must be a whole number from 1, not 1.5"],
  [() => upSampling2D({ interpolation: "bilinaer" as "bilinear" }), 'upSampling2D: no interpolation "bilinaer"; did you mean "bilinear"'],
  [() => zeroPadding2D({ padding: [1, 2, 3] }), "zeroPadding2D: padding must be a number or have one entry for each of 2 axes, not [1,2,3]"],
  [() => cropping2D({ cropping: -1 }), "cropping2D: cropping must be a whole number from 0, not -1"],
  [() => multiHeadAttention({ numHeads: 0, keyDim: 1 }), "multiHeadAttention: numHeads must be a whole number from 1, not 0"],
  [() => multiHeadAttention({ numHeads: 1, keyDim: 3, rotary: true }), "a head's size must be even, not 3"],
  [() => groupedQueryAttention({ headDim: 2, numQueryHeads: 3, numKeyValueHeads: 2 }), "3 query heads cannot share 2 heads equally"],
  [() => lstm({ units: 2, activation: "gelu" as "tanh" }), 'lstm: no activation "gelu"; did you mean "relu"'],
  [() => lstm({ units: 2, dropout: 1 }), "lstm: dropout must be a number from 0 and below 1, not 1"],
  [() => bidirectional({ layer: lstm({ units: 2 }), mergeMode: "avg" as "ave" }), 'bidirectional: no mergeMode "avg"; did you mean "ave"'],
  [() => bidirectional({ layer: lstm({ units: 2 }), backwardLayer: lstm({ units: 3, goBackwards: true }) }), "units is 2 forward and 3 backward"],
  [() => bidirectional({ layer: lstm({ units: 2, goBackwards: true }) }), "layer must run forward and backwardLayer backward"],
  [() => dense({ units: 1, activaton: "relu" } as DenseOptions), 'Dense: no argument "activaton"; did you mean "activation"?'],
  [() => dense({ units: 1, kernelRegulariser: l2() } as DenseOptions), 'did you mean "kernelRegularizer"'],
  [() => conv2D({ filters: 1, kernel_size: 3, kernelSize: 3 } as Conv2DOptions), 'Conv2D: no argument "kernel_size"; did you mean "kernelSize"?'],
  [() => batchNormalization({ movingMeanRegularizer: l2() } as BatchNormalizationOptions), 'no argument "movingMeanRegularizer"'],
  [() => lstm({ units: 1, stateful: true } as LstmOptions), 'LSTM: no argument "stateful"'],
  [() => dense({ units: 1, useBias: "no" as unknown as boolean }), 'Dense: useBias must be true or false, not "no"'],
  [
    () => dense({ units: 1, kernelInitializer: { kind: "randomNormal", std: 1 } as Initializer }),
    'kernelInitializer: randomNormal: no argument "std"; did you mean "stddev"?',
  ],
  [() => dense({ units: 1, kernelRegularizer: "l2" as unknown as Regularizer }), 'a regularizer must be one, such as l2(0.01), not "l2"'],
  [() => dense({ units: 1, kernelConstraint: "maxNorm" as unknown as Constraint }), 'a constraint must be one, such as maxNorm(), not "maxNorm"'],
  [() => maxNorm({ max_value: 1 } as { maxValue?: number }), 'maxNorm: no argument "max_value"; did you mean "maxValue"?'],
  [() => reshape({ targetShape: 4 as unknown as number[] }), "reshape: targetShape must be a list of numbers, such as [4, -1], not 4"],
  [() => bidirectional({ layer: dense({ units: 1 }) as RecurrentLayer }), "bidirectional: layer must be an lstm, gru or simpleRNN, not Dense"],
  [() => rescaling({ scale: NaN }), "rescaling: scale must be a number, not NaN"],
  [() => discretization({ binBoundaries: [1, 1] }), "binBoundaries must rise, not [1, 1]"],
  [() => normalization({ mean: 0, variance: -1 }), "normalization: variance must be a number from 0, not -1"],
])("an argument out of its range: %#", ([make, message]) => {
  expect(make).toThrow(message);
});

describe("networks that do not hold together", () => {
  test("a value of another network", () => {
    const [one, other] = [new Network("one"), new Network("other")];
    const x = other.input("x", [2]);
    one.input("x", [2]);
    expect(() => one.apply(dense({ units: 1 }), x)).toThrow('dense: "x" is no value of the network "one"; use what its input and apply return');
    expect(() => one.output("y", x)).toThrow('output "y": "x" is no value of the network "one"');
  });

  test("what is no layer, several values as one, a layer that returns nothing or gives a parameter no first values", () => {
    const network = new Network("n");
    const x = network.input("x", [3, 2]);
    const apply = network.apply.bind(network) as (layer: unknown, input: unknown) => Value; // as from JavaScript
    expect(() => apply(dense, x)).toThrow("apply: a layer must be one, such as dense({ units: 1 }), not a function; call it");
    const several = network.apply(lstm({ units: 2, returnState: true }), x);
    expect(() => apply(dense({ units: 1 }), several)).toThrow("dense: a list of 3 is no value; give several inputs one by one, and choose");
    expect(() => apply({ kind: "Own", config: {}, apply: () => undefined }, x)).toThrow("own: apply of a Own returned undefined; return the value");
    const bare = { kind: "Bare", config: {}, apply: ({ parameter }: { parameter: (...all: unknown[]) => Value }) => parameter("p", [2]) };
    expect(() => apply(bare, x)).toThrow('bare: "p" has no first values; give it { initializer }, such as "zeros"');
  });

  test("no output, an output that no input reaches, an input that reaches none, a size that is none", () => {
    const constant = (): Layer => ({ kind: "Constant", config: {}, apply: ({ emit }) => emit.scalar(1, "float32") });
    const network = new Network("n");
    const x = network.input("x", [2]);
    expect(() => network.build()).toThrow('"n" has no output');
    network.output("y", network.apply(constant(), x));
    expect(() => network.build()).toThrow('output "y" of "n" depends on no input');
    const idle = new Network("n");
    idle.input("unused", [1]);
    idle.output("y", idle.apply(dense({ units: 1 }), idle.input("x", [2])));
    expect(() => idle.build()).toThrow('input "unused" of "n" reaches no output; leave it out or use it');
    expect(() => new Network("n").input("x", [2.5])).toThrow('input "x": sizes must be whole numbers from 1, in a list, not [2.5]');
  });
});
