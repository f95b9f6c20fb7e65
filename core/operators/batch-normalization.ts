import { formatShape } from "../graph/graph.ts";
import { alongChannels, axesAroundChannels, typedWithChannels } from "./channels.ts";
import { broadcastTo, countAlong, reshape } from "./gradients.ts";
import type { GradientContext, Operator, Value } from "./operator.ts";
import { times } from "./optimizer-node.ts";
import { alike, floatTypes } from "./shapes.ts";
import { inverseRoot, standardize } from "./standardize.ts";

/**
 * (X - mean) / sqrt(variance + epsilon) * scale + B, each channel of X [batch, C, ...] by itself; inputs X, scale, B, input_mean, input_var.
 *
 * Mean and variance are inputs 3 and 4; with `training_mode` they are the batch's own, and outputs 1 and 2 are the running ones:
 * `momentum` parts of the input and the rest of the batch's, whose variance is the population's (divided by n).
 * @see https://onnx.ai/onnx/operators/onnx__BatchNormalization.html
 */
export const batchNormalization: Operator = {
  name: "BatchNormalization",
  domain: "",
  inputs: [5, 5],
  outputs: [1, 3],
  attributes: { epsilon: { kind: "float", default: 1e-5 }, momentum: { kind: "float", default: 0.9 }, training_mode: { kind: "int", default: 0 } },
  infer(context) {
    const x = typedWithChannels(context, ["scale", "B", "input_mean", "input_var"]);
    const isTraining = context.attributes.int("training_mode") === 1;
    if (!isTraining && context.outputCount > 1) context.fail("the running mean and variance are outputs with training_mode 1 only");
    return [x, context.input(3), context.input(4)].slice(0, context.outputCount);
  },
  gradient: (context) => (context.attributes.int("training_mode") === 1 ? trainingGradient(context) : inferenceGradient(context)),
  lower({ emit, input, attributes, outputTypes }) {
    const [x, scale, bias] = [input(0), input(1), input(2)];
    const epsilon = attributes.float("epsilon");
    if (attributes.int("training_mode") === 0) {
      const slope = emit.op("Mul", [scale, inverseRoot(emit, input(4), epsilon)]); // [C]
      const centred = emit.op("Sub", [x, alongChannels(emit, input(3), x)]);
      return [emit.op("Add", [emit.op("Mul", [centred, alongChannels(emit, slope, x)]), alongChannels(emit, bias, x)])];
    }
    const [batchMean, batchVariance] = emit.ops("BatchMoments", [x], 2);
    const momentum = attributes.float("momentum");
    const running = (old: Value, now: Value | undefined): Value => {
      return emit.op("Add", [times(emit, old, momentum), times(emit, now ?? old, 1 - momentum)]);
    };
    const y = emit.op("BatchNormalization", [x, scale, bias, batchMean, batchVariance], { epsilon }); // with given statistics
    return [y, running(input(3), batchMean), running(input(4), batchVariance)].slice(0, outputTypes.length);
  },
  training({ emit, input, attributes, update }) {
    const inputs = [0, 1, 2, 3, 4].map((index) => input(index));
    const options = { epsilon: attributes.float("epsilon"), momentum: attributes.float("momentum"), training_mode: 1 };
    const [y, mean, variance] = emit.ops("BatchNormalization", inputs, 3, options);
    if (mean) update(3, mean);
    if (variance) update(4, variance);
    return y ? [y] : [];
  },
};

/** Mean and population variance of each channel, both [C], of X [batch, C, ...]: what a batch is normalised by. */
export const batchMoments: Operator = {
  name: "BatchMoments",
  domain: "espalier",
  inputs: [1, 1],
  outputs: [2, 2],
  attributes: {},
  infer(context) {
    const [x] = alike(context, [0], floatTypes);
    if (x === undefined || x.shape.length < 2) context.fail(`X must have a batch and channels, not shape ${formatShape(x?.shape ?? [])}`);
    const channels = { dtype: context.input(0).dtype, shape: context.input(0).shape.slice(1, 2) };
    return [channels, channels];
  },
  lower({ emit, input, outputTypes }) {
    const x = input(0);
    const { mean, variance } = standardize(emit, x, { axes: axesAroundChannels(x), epsilon: 0 });
    return [mean, variance].map((value) => reshape(emit, value, outputTypes[0]?.shape ?? []));
  },
};

/**
 * The gradient of BatchNormalization in training: dY, X, scale, the batch's mean and 1 / sqrt(variance + epsilon), both [C], to dX, dScale, dB.
 *
 * dX = scale inverse (dY - mean(dY) - normal mean(dY normal)), where normal = (X - mean) inverse.
 */
export const batchNormalizationGrad: Operator = {
  name: "BatchNormalizationGrad",
  domain: "espalier",
  inputs: [5, 5],
  outputs: [3, 3],
  attributes: {},
  infer(context) {
    const [dy, x, scale, mean, inverse] = alike(context, [0, 1, 2, 3, 4], floatTypes).map(({ shape }) => formatShape(shape));
    if (dy !== x) context.fail(`dY is ${dy}, but X is ${x}`);
    const channels = formatShape(context.input(1).shape.slice(1, 2));
    for (const [name, shape] of Object.entries({ scale, mean, inverse }))
      if (shape !== channels) context.fail(`${name} is ${shape}, not ${channels}`);
    return [context.input(1), context.input(2), context.input(2)];
  },
  lower({ emit, input }) {
    const [dy, x, scale, inverse] = [input(0), input(1), input(2), input(4)];
    const axes = axesAroundChannels(x);
    const sum = (value: Value): Value => emit.op("ReduceSum", [value, emit.ints(axes)], { keepdims: 0 }); // [C]
    const centred = emit.op("Sub", [x, alongChannels(emit, input(3), x)]);
    const normal = emit.op("Mul", [centred, alongChannels(emit, inverse, x)]);
    const [dBias, dScale] = [sum(dy), sum(emit.op("Mul", [dy, normal]))];
    const count = countAlong(emit, x, { axes, dtype: x.dtype });
    const mean = (total: Value): Value => alongChannels(emit, emit.op("Div", [total, count]), x);
    const rest = emit.op("Sub", [emit.op("Sub", [dy, mean(dBias)]), emit.op("Mul", [normal, mean(dScale)])]);
    return [emit.op("Mul", [rest, alongChannels(emit, emit.op("Mul", [scale, inverse]), x)]), dScale, dBias];
  },
};

function inferenceGradient({ emit, input, attributes, gradients: [dy], needs }: GradientContext): readonly (Value | undefined)[] {
  if (dy === undefined) return [];
  const [x, scale, mean, variance] = [input(0), input(1), input(3), input(4)];
  const axes = axesAroundChannels(x);
  const sum = (value: Value): Value => emit.op("ReduceSum", [value, emit.ints(axes)], { keepdims: 0 }); // [C]
  const inverse = inverseRoot(emit, variance, attributes.float("epsilon"));
  const slope = emit.op("Mul", [scale, inverse]);
  const total = needs(2) || needs(3) ? sum(dy) : undefined;
  const met = needs(1) || needs(4) ? sum(emit.op("Mul", [dy, emit.op("Sub", [x, alongChannels(emit, mean, x)])])) : undefined; // sum dY (X - mean)
  const dVariance = (): Value | undefined => {
    const cube = emit.op("Mul", [slope, emit.op("Mul", [inverse, inverse])]);
    return met && times(emit, emit.op("Mul", [met, cube]), -0.5);
  };
  return [
    needs(0) ? emit.op("Mul", [dy, alongChannels(emit, slope, x)]) : undefined,
    needs(1) && met ? emit.op("Mul", [met, inverse]) : undefined,
    needs(2) ? total : undefined,
    needs(3) && total ? emit.op("Neg", [emit.op("Mul", [total, slope])]) : undefined,
    needs(4) ? dVariance() : undefined,
  ];
}

function trainingGradient({ emit, input, attributes, gradients, needs }: GradientContext): readonly (Value | undefined)[] {
  const [dy, dMean, dVariance] = gradients;
  const [x, scale] = [input(0), input(1)];
  const momentum = attributes.float("momentum");
  const [mean, variance] = emit.ops("BatchMoments", [x], 2);
  const inverse = variance && inverseRoot(emit, variance, attributes.float("epsilon"));
  const [dx, dScale, dBias] = dy && mean && inverse ? emit.ops("BatchNormalizationGrad", [dy, x, scale, mean, inverse], 3) : [];
  // The running values hold 1 - momentum parts of the batch's mean(x) and mean((x - mean)^2).
  const part = (gradient: Value): Value => {
    const count = countAlong(emit, x, { axes: axesAroundChannels(x), dtype: x.dtype });
    return alongChannels(emit, times(emit, emit.op("Div", [gradient, count]), 1 - momentum), x);
  };
  const throughMean = dMean && needs(0) ? broadcastTo(emit, part(dMean), x) : undefined;
  const centred = (): Value => (mean ? emit.op("Sub", [x, alongChannels(emit, mean, x)]) : x);
  const throughVariance = dVariance && needs(0) ? emit.op("Mul", [times(emit, centred(), 2), part(dVariance)]) : undefined;
  const parts = [dx, throughMean, throughVariance].filter((value) => value !== undefined);
  return [
    parts.length === 0 ? undefined : parts.reduce((a, b) => emit.op("Add", [a, b])),
    dScale,
    dBias,
    dMean && needs(3) ? times(emit, dMean, momentum) : undefined,
    dVariance && needs(4) ? times(emit, dVariance, momentum) : undefined,
  ];
}
