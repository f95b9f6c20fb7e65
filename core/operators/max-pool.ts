import type { AttributeSpec, Operator, Value } from "./operator.ts";
import { checkPooled, explicitPool, poolAttributes, poolWindow, spatialAxes, typedGlobalPool, typedPool } from "./pool.ts";
import { alike, floatTypes } from "./shapes.ts";
import { kernelOffsets } from "./sliding-window.ts";
import { padForWindow, windowSlice, windowSpread } from "./window-slices.ts";

const maxAttributes: Readonly<Record<string, AttributeSpec>> = { ...poolAttributes, storage_order: { kind: "int", default: 0 } };

/** The largest in each window of X [batch, C, ...spatial]. @see https://onnx.ai/onnx/operators/onnx__MaxPool.html */
export const maxPool: Operator = {
  name: "MaxPool",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: maxAttributes,
  infer: (context) => [typedPool(context)],
  gradient({ emit, input, attributes, outputs: [y], gradients: [dy] }) {
    if (y === undefined || dy === undefined) return [];
    return [emit.op("MaxPoolGrad", [input(0), y, dy], explicitPool(attributes, input(0).shape.slice(2)))];
  },
  lower({ emit, input, attributes }) {
    const x = input(0);
    const window = poolWindow(attributes, x.shape.slice(2));
    const padded = padForWindow(emit, x, { window, value: -Infinity });
    const slices = kernelOffsets(window.kernel).map((offset) => windowSlice(emit, padded, { window, offset }));
    return [slices.reduce((a, b) => emit.op("Max", [a, b]))];
  },
};

/** MaxPool's gradient from X, Y and dY; the first maximum of a window, in row-major order, takes all of it. */
export const maxPoolGrad: Operator = {
  name: "MaxPoolGrad",
  domain: "espalier",
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: maxAttributes,
  infer(context) {
    alike(context, [0, 1, 2], floatTypes);
    checkPooled(context, { pool: "MaxPool", expected: typedPool(context), given: { Y: context.input(1), dY: context.input(2) } });
    return [context.input(0)];
  },
  lower({ emit, input, attributes }) {
    const [x, y, dy] = [input(0), input(1), input(2)];
    const window = poolWindow(attributes, x.shape.slice(2));
    const padded = padForWindow(emit, x, { window, value: -Infinity });
    const zero = emit.scalar(0, dy.dtype);
    let taken: Value | undefined;
    let total: Value | undefined;
    for (const offset of kernelOffsets(window.kernel)) {
      const equal = emit.op("Equal", [windowSlice(emit, padded, { window, offset }), y]);
      const first = taken === undefined ? equal : emit.op("And", [equal, emit.op("Not", [taken])]);
      taken = taken === undefined ? equal : emit.op("Or", [taken, equal]);
      const part = windowSpread(emit, emit.op("Where", [first, dy, zero]), { window, offset });
      total = total === undefined ? part : emit.op("Add", [total, part]);
    }
    return total === undefined ? [] : [total];
  },
};

/**
 * The largest over all spatial axes, which stay as size 1; equal ones share the gradient.
 *
 * @see https://onnx.ai/onnx/operators/onnx__GlobalMaxPool.html
 */
export const globalMaxPool: Operator = {
  name: "GlobalMaxPool",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: {},
  infer: (context) => [typedGlobalPool(context)],
  lower: ({ emit, input }) => [emit.op("ReduceMax", [input(0), emit.ints(spatialAxes(input(0)))], { keepdims: 1 })],
};
