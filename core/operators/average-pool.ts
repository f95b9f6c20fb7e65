import { tensor, type Tensor } from "../tensor.ts";
import { broadcastTo } from "./gradients.ts";
import type { Attributes, AttributeSpec, Operator, Value } from "./operator.ts";
import { checkPooled, explicitPool, poolAttributes, poolWindow, spatialAxes, typedGlobalPool, typedPool } from "./pool.ts";
import { kernelOffsets, type SlidingWindow } from "./sliding-window.ts";
import { padForWindow, windowSlice, windowSpread } from "./window-slices.ts";

const averageAttributes: Readonly<Record<string, AttributeSpec>> = { ...poolAttributes, count_include_pad: { kind: "int", default: 0 } };

/**
 * The mean of each window of X [batch, C, ...spatial]; padding counts only with `count_include_pad`, what ceil_mode adds never does.
 *
 * @see https://onnx.ai/onnx/operators/onnx__AveragePool.html
 */
export const averagePool: Operator = {
  name: "AveragePool",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: averageAttributes,
  infer: (context) => [typedPool(context)],
  gradient({ emit, input, attributes, gradients: [dy] }) {
    if (dy === undefined) return [];
    const spatial = input(0).shape.slice(2).map(Number);
    const options = { ...explicitPool(attributes, spatial), count_include_pad: attributes.int("count_include_pad"), input_spatial: spatial };
    return [emit.op("AveragePoolGrad", [dy], options)];
  },
  lower({ emit, input, attributes }) {
    const x = input(0);
    const window = poolWindow(attributes, x.shape.slice(2));
    const padded = padForWindow(emit, x, { window, value: 0 });
    const sum = kernelOffsets(window.kernel)
      .map((offset) => windowSlice(emit, padded, { window, offset }))
      .reduce((a, b) => emit.op("Add", [a, b]));
    return [emit.op("Mul", [sum, emit.constant(shares(window, attributes, x))])];
  },
};

/** AveragePool's gradient: dY [batch, C, ...output] to dX [batch, C, ...input_spatial]. */
export const averagePoolGrad: Operator = {
  name: "AveragePoolGrad",
  domain: "espalier",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { ...averageAttributes, input_spatial: { kind: "ints", required: true } },
  infer(context) {
    const dy = context.input(0);
    const shape = [...dy.shape.slice(0, 2), ...context.attributes.ints("input_spatial")];
    checkPooled(context, { pool: "AveragePool", expected: typedPool(context, shape), given: { dY: dy } });
    return [{ dtype: dy.dtype, shape }];
  },
  gradient({ emit, attributes, gradients: [gradient] }) {
    const options = { ...explicitPool(attributes, attributes.ints("input_spatial")), count_include_pad: attributes.int("count_include_pad") };
    return [gradient && emit.op("AveragePool", [gradient], options)];
  },
  lower({ emit, input, attributes }) {
    const window = poolWindow(attributes, attributes.ints("input_spatial"));
    const share = emit.op("Mul", [input(0), emit.constant(shares(window, attributes, input(0)))]);
    const parts = kernelOffsets(window.kernel).map((offset) => windowSpread(emit, share, { window, offset }));
    return [parts.reduce((a, b) => emit.op("Add", [a, b]))];
  },
};

/** The mean over all spatial axes, which stay as size 1. @see https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html */
export const globalAveragePool: Operator = {
  name: "GlobalAveragePool",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: {},
  infer: (context) => [typedGlobalPool(context)],
  gradient({ emit, input, gradients: [dy] }) {
    if (dy === undefined) return [];
    const pixels = input(0)
      .shape.slice(2)
      .reduce<number>((product, size) => product * Number(size), 1);
    return [broadcastTo(emit, emit.op("Mul", [dy, emit.scalar(1 / pixels, dy.dtype)]), input(0))];
  },
  lower({ emit, input }) {
    return [emit.op("ReduceMean", [input(0), emit.ints(spatialAxes(input(0)))], { keepdims: 1 })];
  },
};

/**
 * How many elements each window of one spatial axis averages over; a window's count is the product over the axes.
 *
 * @returns for every spatial axis, one count for every output place
 */
export function windowCounts(window: SlidingWindow, { includePad }: { includePad: boolean }): readonly (readonly number[])[] {
  return window.output.map((places, axis) => {
    const [begin = 0, end = 0, size = 1] = [window.begin[axis], window.end[axis], window.input[axis]];
    const [low, high] = includePad ? [-begin, size + end] : [0, size];
    return Array.from({ length: places }, (_, place) => {
      const start = place * (window.strides[axis] ?? 1) - begin;
      const taps = Array.from({ length: window.kernel[axis] ?? 1 }, (__, i) => start + i * (window.dilations[axis] ?? 1));
      return taps.filter((tap) => tap >= low && tap < high).length;
    });
  });
}

/** One over the count of every window: [1, 1, ...output]. A window that lies in the padding alone counts as 1: its sum is 0. */
function shares(window: SlidingWindow, attributes: Attributes, { dtype }: Value): Tensor {
  const counts = windowCounts(window, { includePad: attributes.int("count_include_pad") === 1 });
  const products = counts.reduce<readonly number[]>((all, axis) => all.flatMap((a) => axis.map((b) => a * b)), [1]);
  return tensor(
    dtype,
    [1, 1, ...window.output],
    products.map((count) => 1 / Math.max(1, count)),
  );
}
