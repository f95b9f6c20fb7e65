import { elementCount, sliceRange, toNumbers, type Tensor } from "../../../core/index.ts";
import { positiveAxis } from "../kernel.ts";
import { denseStrides, stridedIndex } from "../wgsl.ts";
import type { ElementContext, ElementRule } from "./element-rule.ts";

/** Operators that only choose where an element comes from. */
export const movementRules: Readonly<Record<string, ElementRule>> = {
  Expand: { host: [1], write: ({ value }) => value(0) },
  Transpose: { indirect: [0], write: transpose },
  Slice: { indirect: [0], host: [1, 2, 3, 4], write: slice },
  Pad: { indirect: [0], host: [1, 3], write: pad },
  Gather: { indirect: [0, 1], write: gather },
};

function transpose({ attributes, input, output, index, at }: ElementContext): string {
  const dense = denseStrides(input(0).shape);
  const rank = dense.length;
  const perm = attributes.has("perm") ? attributes.ints("perm") : dense.map((_, axis) => rank - 1 - axis);
  return at(0, stridedIndex(index, { shape: output.shape, strides: perm.map((axis) => dense[axis] ?? 0) }));
}

function slice({ constant, input, output, index, at, fail }: ElementContext): string {
  const shape = input(0).shape;
  const dense = denseStrides(shape);
  const starts = known(constant(1), "starts", fail);
  const ends = known(constant(2), "ends", fail);
  const axes = constant(3) ? known(constant(3), "axes", fail) : [...starts.keys()];
  const steps = constant(4) ? known(constant(4), "steps", fail) : starts.map(() => 1);
  const strides = [...dense];
  let offset = 0;
  for (const [i, axis] of axes.entries()) {
    const at = positiveAxis(axis, shape.length);
    const range = sliceRange(shape[at] ?? 1, { start: starts[i] ?? 0, end: ends[i] ?? 0, step: steps[i] ?? 1 });
    offset += range.first * (dense[at] ?? 0);
    strides[at] = (dense[at] ?? 0) * range.step;
  }
  return at(0, stridedIndex(index, { shape: output.shape, strides, offset }));
}

function pad({ constant, has, input, output, index, at, value, local, fail }: ElementContext): string {
  const shape = input(0).shape;
  const dense = denseStrides(shape);
  const outer = denseStrides(output.shape);
  const pads = known(constant(1), "pads", fail);
  const axes = (constant(3) ? known(constant(3), "axes", fail) : [...shape.keys()]).map((axis) => positiveAxis(axis, shape.length));
  const guards: string[] = [];
  const terms = shape.flatMap((size, axis) => {
    const quotient = outer[axis] === 1 ? index : `(${index} / ${outer[axis]}u)`;
    const coordinate = `i32(${quotient} % ${output.shape[axis]}u)`;
    const before = axes.includes(axis) ? (pads[axes.indexOf(axis)] ?? 0) : 0;
    if (before === 0 && size === output.shape[axis]) return size === 1 ? [] : [`${coordinate} * ${dense[axis]}i`];
    const place = local(`${coordinate} - (${before}i)`);
    guards.push(`${place} >= 0i && ${place} < ${size}i`);
    return [`clamp(${place}, 0i, ${Math.max(0, size - 1)}i) * ${dense[axis]}i`];
  });
  const filling = has(2) ? value(2) : `${output.scalar}(0)`;
  if (elementCount(shape) === 0) return filling;
  const element = at(0, `u32(${terms.join(" + ") || "0i"})`);
  return guards.length === 0 ? element : `select(${filling}, ${element}, ${guards.join(" && ")})`;
}

function gather({ attributes, input, index, at, local, statement, fault }: ElementContext): string {
  const { shape } = input(0);
  const axis = positiveAxis(attributes.int("axis"), shape.length);
  const size = shape[axis] ?? 1;
  const inner = elementCount(shape.slice(axis + 1));
  const count = elementCount(input(1).shape);
  const chosen = local(at(1, `((${index} / ${inner}u) % ${count}u)`));
  statement(
    `if (${chosen} < ${-size}i || ${chosen} >= ${size}i) { ${fault(chosen, (value) => `index ${value} is outside an axis of size ${size}`)} }`,
  );
  const place = `u32(clamp(select(${chosen}, ${chosen} + ${size}i, ${chosen} < 0i), 0i, ${size - 1}i))`;
  return at(0, `(((${index} / ${inner * count}u) * ${size}u + ${place}) * ${inner}u + ${index} % ${inner}u)`);
}

function known(value: Tensor | undefined, what: string, fail: (message: string) => never): readonly number[] {
  return value ? toNumbers(value) : fail(`its ${what} must be known when the graph is compiled`);
}
