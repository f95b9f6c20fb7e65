import { formatShape, type Attribute } from "../graph/graph.ts";
import type { Attributes, AttributeSpec, Operator, Value } from "./operator.ts";
import { alike, floatTypes, typed } from "./shapes.ts";
import { checkedWindow, kernelOffsets, windowAttributes, windowOver, windowToAttributes } from "./sliding-window.ts";
import { padForWindow, windowSlice, windowSpread } from "./window-slices.ts";

const attributesOfPool: Readonly<Record<string, AttributeSpec>> = {
  ...windowAttributes,
  kernel_shape: { kind: "ints", required: true },
  ceil_mode: { kind: "int", default: 0 },
  storage_order: { kind: "int", default: 0 },
};

/** The largest in each window of X [batch, C, ...spatial]. @see https://onnx.ai/onnx/operators/onnx__MaxPool.html */
export const maxPool: Operator = {
  name: "MaxPool",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: attributesOfPool,
  infer(context) {
    const { dtype, shape } = typed(context, 0, floatTypes);
    const window = windowOver(context, context.attributes.ints("kernel_shape"));
    return [{ dtype, shape: [...shape.slice(0, 2), ...window.output] }];
  },
  gradient({ emit, input, attributes, outputs: [y], gradients: [dy] }) {
    if (y === undefined || dy === undefined) return [];
    return [emit.op("MaxPoolGrad", [input(0), y, dy], explicit(attributes, input(0)))];
  },
  lower({ emit, input, attributes }) {
    const x = input(0);
    const window = checkedWindow(attributes, attributes.ints("kernel_shape"), x.shape.slice(2));
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
  attributes: attributesOfPool,
  infer(context) {
    const [x, y, dy] = alike(context, [0, 1, 2], floatTypes);
    const window = windowOver(context, context.attributes.ints("kernel_shape"));
    const expected = formatShape([...(x?.shape.slice(0, 2) ?? []), ...window.output]);
    for (const [name, value] of Object.entries({ Y: y, dY: dy })) {
      if (value && formatShape(value.shape) !== expected) context.fail(`${name} is ${formatShape(value.shape)}, but MaxPool gives ${expected}`);
    }
    return [context.input(0)];
  },
  lower({ emit, input, attributes }) {
    const [x, y, dy] = [input(0), input(1), input(2)];
    const window = checkedWindow(attributes, attributes.ints("kernel_shape"), x.shape.slice(2));
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

/** The pool's attributes with auto_pad worked out. */
function explicit(attributes: Attributes, x: Value): Record<string, Attribute> {
  const kernel = attributes.ints("kernel_shape");
  const window = windowToAttributes(checkedWindow(attributes, kernel, x.shape.slice(2)));
  return { ...window, kernel_shape: kernel, ceil_mode: attributes.int("ceil_mode") };
}
