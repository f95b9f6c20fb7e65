import { formatShape, type Dimension } from "../graph/graph.ts";
import { reshape } from "./gradients.ts";
import type { Emitter, GradientContext, InferContext, Operator, Value } from "./operator.ts";
import { alike, floatTypes, staticSizes } from "./shapes.ts";
import { checkedWindow, kernelOffsets, windowAttributes, windowOver, windowToAttributes } from "./sliding-window.ts";
import { padForWindow, windowSlice } from "./window-slices.ts";

/**
 * Convolution (cross-correlation) of X [batch, C, ...spatial] with W [M, C/group, ...kernel], plus B [M], over any number of spatial axes.
 *
 * @see https://onnx.ai/onnx/operators/onnx__Conv.html
 */
export const conv: Operator = {
  name: "Conv",
  domain: "",
  inputs: [2, 3],
  outputs: [1, 1],
  attributes: { ...windowAttributes, group: { kind: "int", default: 1 }, kernel_shape: { kind: "ints" } },
  infer(context) {
    alike(context, context.inputs[2] ? [0, 1, 2] : [0, 1], floatTypes);
    const { dtype, shape } = context.input(0);
    const weight = context.input(1).shape;
    const [filters = 1] = weight;
    const window = windowOver(context, kernelOf(context, weight));
    const group = context.attributes.int("group");
    checkChannels(context, { channels: shape[1], weight, group });
    if (context.inputs[2] && formatShape(context.inputs[2].shape) !== formatShape([filters])) {
      context.fail(`the bias must be ${formatShape([filters])}, not ${formatShape(context.inputs[2].shape)}`);
    }
    return [{ dtype, shape: [shape[0] ?? 1, filters, ...window.output] }];
  },
  gradient({ emit, input, attributes, gradients: [dy], needs }) {
    if (dy === undefined) return [];
    const spatial = input(0).shape.slice(2).map(Number);
    const kernel = input(1).shape.slice(2).map(Number);
    const options = { ...windowToAttributes(checkedWindow(attributes, kernel, spatial)), group: attributes.int("group") };
    return [
      needs(0) ? emit.op("ConvInputGrad", [dy, input(1)], { ...options, input_spatial: spatial }) : undefined,
      needs(1) ? emit.op("ConvWeightGrad", [input(0), dy], { ...options, kernel_shape: kernel }) : undefined,
      needs(2) ? biasGradient({ emit }, dy) : undefined,
    ];
  },
  // What the kernel's places see, unfolded into rows, times the weights: one product of matrices a group.
  lower({ emit, input, inputs, attributes, outputTypes }) {
    const [x, w] = [input(0), input(1)];
    const [filters = 1, depth = 1, ...kernel] = w.shape.map(Number);
    const group = attributes.int("group");
    const window = checkedWindow(attributes, kernel, x.shape.slice(2));
    const [batch = 1] = x.shape;
    const pixels = window.output.reduce((a, b) => a * b, 1);
    const padded = padForWindow(emit, x, { window, value: 0 });
    const seen = kernelOffsets(kernel).map((offset) =>
      reshape(emit, windowSlice(emit, padded, { window, offset }), [batch, group, depth, 1, pixels]),
    );
    const columns = reshape(emit, emit.op("Concat", seen, { axis: 3 }), [batch, group, depth * seen.length, pixels]);
    const sums = emit.op("MatMul", [reshape(emit, w, [group, filters / group, depth * seen.length]), columns]);
    return [plusBias(emit, reshape(emit, sums, outputTypes[0]?.shape ?? []), inputs[2])];
  },
};

/** y [batch, M, ...spatial] plus a bias [M], where there is one. */
export function plusBias(emit: Emitter, y: Value, bias: Value | undefined): Value {
  if (bias === undefined) return y;
  return emit.op("Add", [y, reshape(emit, bias, [bias.shape[0] ?? 1, ...y.shape.slice(2).map(() => 1)])]);
}

/** dY [batch, M, ...spatial] summed to [M]. */
export function biasGradient({ emit }: Pick<GradientContext, "emit">, dy: Value): Value {
  const axes = dy.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  return emit.op("ReduceSum", [dy, emit.ints(axes)], { keepdims: 0 });
}

/** The kernel's sizes from the weight, which `kernel_shape` must repeat. @throws GRAPH_SHAPE */
export function kernelOf(context: InferContext, weight: readonly Dimension[]): readonly number[] {
  const kernel = staticSizes(context, weight.slice(2), "a kernel axis");
  if (!context.attributes.has("kernel_shape")) return kernel;
  const given = context.attributes.ints("kernel_shape");
  if (formatShape(given) !== formatShape(kernel)) context.fail(`kernel_shape is ${formatShape(given)}, but the weight has ${formatShape(kernel)}`);
  return kernel;
}

/** @throws GRAPH_SHAPE when C is not group times the weight's second axis, or the filters do not divide by group */
export function checkChannels(
  context: InferContext,
  { channels, weight, group }: { channels: Dimension | undefined; weight: readonly Dimension[]; group: number },
): void {
  const [filters = 1, depth = 1] = weight;
  if (group < 1) context.fail(`group must be at least 1, not ${group}`);
  const meets = group === 1 ? channels === depth : Number(depth) * group === channels;
  if (!meets) context.fail(`${channels} channels do not go with a weight of ${formatShape(weight)} in ${group} group(s)`);
  if (group > 1 && Number(filters) % group !== 0) context.fail(`${filters} filters do not divide into ${group} groups`);
}
