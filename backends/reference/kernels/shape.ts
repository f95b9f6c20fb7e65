import { elementCount } from "../../../core/index.ts";
import { broadcastShape, broadcastTo, stridedIndices, stridesOf, take } from "../indices.ts";
import { intsOf, positiveAxis, required, tensorOf, type KernelFactory } from "../kernel.ts";

/** Operators that change or tell a shape. Those that keep the order of elements share the memory. */
export const shapeKernels: Readonly<Record<string, KernelFactory>> = {
  Identity: () => (inputs) => [required(inputs, 0)],

  /** @see https://onnx.ai/onnx/operators/onnx__Reshape.html */
  Reshape: ({ attributes, fail }) => {
    const allowZero = attributes.int("allowzero") === 1;
    return (inputs) => {
      const x = required(inputs, 0);
      const target = intsOf(required(inputs, 1));
      const sizes = target.map((size, axis) => (size === 0 && !allowZero ? (x.shape[axis] ?? 0) : size));
      const known = elementCount(sizes.filter((size) => size !== -1));
      const shape = sizes.map((size) => (size === -1 ? x.data.length / known : size));
      if (elementCount(shape) !== x.data.length) fail(`[${x.shape.join(", ")}] does not reshape to [${target.join(", ")}]`);
      return [{ ...x, shape }];
    };
  },

  Flatten:
    ({ attributes }) =>
    (inputs) => {
      const x = required(inputs, 0);
      const axis = positiveAxis(attributes.int("axis"), x.shape.length);
      return [{ ...x, shape: [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis))] }];
    },

  Squeeze: () => (inputs) => {
    const x = required(inputs, 0);
    const axes = inputs[1] && intsOf(inputs[1]).map((axis) => positiveAxis(axis, x.shape.length));
    return [{ ...x, shape: x.shape.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1)) }];
  },

  Unsqueeze: () => (inputs) => {
    const x = required(inputs, 0);
    const given = intsOf(required(inputs, 1));
    const axes = given.map((axis) => positiveAxis(axis, x.shape.length + given.length));
    const shape = [...x.shape];
    for (const axis of axes.toSorted((a, b) => a - b)) shape.splice(axis, 0, 1);
    return [{ ...x, shape }];
  },

  Transpose:
    ({ attributes }) =>
    (inputs) => {
      const x = required(inputs, 0);
      const order = attributes.has("perm") ? attributes.ints("perm") : x.shape.map((_, axis) => x.shape.length - 1 - axis);
      const strides = stridesOf(x.shape);
      const shape = order.map((axis) => x.shape[axis]!);
      return [
        take(
          x,
          shape,
          stridedIndices(
            shape,
            order.map((axis) => strides[axis]!),
          ),
        ),
      ];
    },

  Expand: () => (inputs) => {
    const x = required(inputs, 0);
    return [broadcastTo(x, broadcastShape([x.shape, intsOf(required(inputs, 1))]))];
  },

  Shape:
    ({ attributes }) =>
    (inputs) => {
      const sizes = required(inputs, 0).shape.slice(attributes.int("start"), attributes.has("end") ? attributes.int("end") : undefined);
      return [tensorOf("int64", [sizes.length], Float64Array.from(sizes))];
    },
};
