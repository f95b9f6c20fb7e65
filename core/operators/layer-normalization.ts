import { formatShape, type ValueType } from "../graph/graph.ts";
import { broadcastTo, countAlong, sumTo } from "./gradients.ts";
import type { GradientContext, InferContext, Operator, Value } from "./operator.ts";
import { times } from "./optimizer-node.ts";
import { alike, axisOf, broadcast, floatTypes } from "./shapes.ts";
import { standardize } from "./standardize.ts";
import { gradientInFloat32, lowerInFloat32 } from "./stash.ts";

/**
 * (X - mean) / sqrt(variance + epsilon) * Scale + B over the axes from `axis` on; outputs Y, Mean and InvStdDev (size 1 along those axes).
 *
 * Scale and B may be smaller and are broadcast to X's normalized axes. Everything is computed in float32, as
 * `stash_type` 1 says, and Mean and InvStdDev are float32; of float64 both are float64.
 * @see https://onnx.ai/onnx/operators/onnx__LayerNormalization.html
 */
export const layerNormalization: Operator = {
  name: "LayerNormalization",
  domain: "",
  inputs: [2, 3],
  outputs: [1, 3],
  attributes: { axis: { kind: "int", default: -1 }, epsilon: { kind: "float", default: 1e-5 }, stash_type: { kind: "int", default: 1 } },
  infer(context) {
    const { dtype, shape } = context.input(0);
    alike(context, context.inputs[2] ? [0, 1, 2] : [0, 1], floatTypes);
    if (context.attributes.int("stash_type") !== 1) context.fail(`stash_type ${context.attributes.int("stash_type")} is not 1 (float)`);
    const axis = checkScale(context, { Scale: 1, B: 2 });
    const statistic: ValueType = { dtype: dtype === "float16" ? "float32" : dtype, shape: shape.map((size, i) => (i < axis ? size : 1)) };
    return [context.input(0), statistic, statistic].slice(0, context.outputCount);
  },
  gradient: gradientInFloat32((context) => {
    const { emit, input, inputs, attributes, outputs, gradients, needs } = context;
    const [dy, dMean, dInverse] = gradients;
    const [x, scale] = [input(0), input(1)];
    const axes = axesFrom(attributes.int("axis"), x);
    const known = standardizedOf(context, { x, axes, outputs });
    const options = { axis: attributes.int("axis") };
    const [dx, dScale] = dy ? emit.ops("LayerNormalizationGrad", [dy, x, scale, known.mean, known.inverse], 2, options) : [];
    const count = countAlong(emit, x, { axes, dtype: x.dtype });
    const throughMean = dMean && broadcastTo(emit, emit.op("Div", [dMean, count]), x);
    const parts = [dx, throughMean, dInverse && throughInverse(context, { x, known, share: emit.op("Div", [dInverse, count]) })];
    const there = parts.filter((value) => value !== undefined);
    return [
      there.length === 0 ? undefined : there.reduce((a, b) => emit.op("Add", [a, b])),
      dScale,
      dy && inputs[2] && needs(2) ? sumTo(emit, dy, inputs[2].shape) : undefined,
    ];
  }),
  lower: lowerInFloat32(({ emit, input, inputs, attributes, outputTypes }) => {
    const x = input(0);
    const { mean, centred, inverse } = standardize(emit, x, { axes: axesFrom(attributes.int("axis"), x), epsilon: attributes.float("epsilon") });
    const scaled = emit.op("Mul", [emit.op("Mul", [centred, inverse]), input(1)]);
    return [inputs[2] ? emit.op("Add", [scaled, inputs[2]]) : scaled, mean, inverse].slice(0, outputTypes.length);
  }),
  // The gradient needs Mean and InvStdDev: named as outputs they are not computed twice.
  training({ emit, inputs, attributes, outputTypes }) {
    const options = { axis: attributes.int("axis"), epsilon: attributes.float("epsilon") };
    return emit.ops("LayerNormalization", inputs, 3, options).slice(0, outputTypes.length);
  },
};

/**
 * LayerNormalization's gradient: dY, X, Scale, Mean, InvStdDev to dX and dScale.
 *
 * With g = dY Scale and normal = (X - Mean) InvStdDev: dX = InvStdDev (g - mean(g) - normal mean(g normal)).
 */
export const layerNormalizationGrad: Operator = {
  name: "LayerNormalizationGrad",
  domain: "espalier",
  inputs: [5, 5],
  outputs: [2, 2],
  attributes: { axis: { kind: "int", default: -1 } },
  infer(context) {
    const [dy, x, , mean, inverse] = alike(context, [0, 1, 2, 3, 4], floatTypes).map(({ shape }) => formatShape(shape));
    if (dy !== x) context.fail(`dY is ${dy}, but X is ${x}`);
    const axis = axisOf(context, context.attributes.int("axis"), context.input(1).shape.length);
    const expected = formatShape(context.input(1).shape.map((size, i) => (i < axis ? size : 1)));
    for (const [name, shape] of Object.entries({ Mean: mean, InvStdDev: inverse })) {
      if (shape !== expected) context.fail(`${name} is ${shape}, but LayerNormalization gives ${expected}`);
    }
    return [context.input(1), context.input(2)];
  },
  lower({ emit, input, attributes }) {
    const [dy, x, scale, mean, inverse] = [input(0), input(1), input(2), input(3), input(4)];
    const axes = emit.ints(axesFrom(attributes.int("axis"), x));
    const meanOf = (value: Value): Value => emit.op("ReduceMean", [value, axes], { keepdims: 1 });
    const normal = emit.op("Mul", [emit.op("Sub", [x, mean]), inverse]);
    const g = emit.op("Mul", [dy, scale]);
    const rest = emit.op("Sub", [emit.op("Sub", [g, meanOf(g)]), emit.op("Mul", [normal, meanOf(emit.op("Mul", [g, normal]))])]);
    return [emit.op("Mul", [inverse, rest]), sumTo(emit, emit.op("Mul", [dy, normal]), scale.shape)];
  },
};

/** The axes from `axis` on. */
export function axesFrom(axis: number, x: Value): readonly number[] {
  return [...x.shape.keys()].slice(axis);
}

/** Checks that Scale, and B where there is one, fit X's axes from `axis` on, and gives that axis. @throws GRAPH_SHAPE */
export function checkScale(context: InferContext, places: Readonly<Record<string, number>>): number {
  const { shape } = context.input(0);
  const axis = axisOf(context, context.attributes.int("axis"), shape.length);
  const normalized = shape.slice(axis);
  for (const [name, index] of Object.entries(places)) {
    const given = context.inputs[index]?.shape;
    if (given !== undefined && formatShape(broadcast(context, [normalized, given])) !== formatShape(normalized)) {
      context.fail(`${name} ${formatShape(given)} is larger than the normalized axes ${formatShape(normalized)}`);
    }
  }
  return axis;
}

interface Known {
  readonly mean: Value;
  readonly inverse: Value;
}

/** Mean and InvStdDev: outputs of the node where it names them. */
function standardizedOf(
  { emit, attributes }: GradientContext,
  { x, axes, outputs: [, mean, inverse] }: { x: Value; axes: readonly number[]; outputs: readonly Value[] },
): Known {
  return mean && inverse ? { mean, inverse } : standardize(emit, x, { axes, epsilon: attributes.float("epsilon") });
}

/** d InvStdDev / dX = -(X - Mean) InvStdDev^3 / count, times what arrives over count. */
function throughInverse({ emit }: GradientContext, { x, known: { mean, inverse }, share }: { x: Value; known: Known; share: Value }): Value {
  const cube = emit.op("Mul", [inverse, emit.op("Mul", [inverse, inverse])]);
  return emit.op("Mul", [emit.op("Sub", [x, mean]), times(emit, emit.op("Mul", [share, cube]), -1)]);
}
