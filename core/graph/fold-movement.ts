import { readAttributes } from "../operators/attributes.ts";
import { findOperator } from "../operators/index.ts";
import type { Attributes } from "../operators/operator.ts";
import { sliceRange } from "../operators/slice.ts";
import { elementCount, toNumbers, type Tensor } from "../tensor.ts";
import type { Node } from "./graph.ts";

/**
 * The elements of a constant's node that only moves elements: parts, orders and joins of small tensors.
 *
 * @param shape the output's
 * @returns the output's elements in order, or undefined for other operators
 */
export function foldMovement(node: Node, inputs: readonly Tensor[], shape: readonly number[]): readonly number[] | undefined {
  const operator = findOperator(node.operator);
  const rule = rules[node.operator];
  const [first] = inputs;
  if (rule === undefined || operator === undefined || first === undefined) return undefined;
  return rule({ inputs, first, shape, attributes: readAttributes(operator, node.name, node.attributes) });
}

interface Movement {
  readonly inputs: readonly Tensor[];
  readonly first: Tensor;
  readonly shape: readonly number[];
  readonly attributes: Attributes;
}

const rules: Readonly<Record<string, (movement: Movement) => readonly number[] | undefined>> = {
  Concat({ inputs, shape, attributes }) {
    const axis = fromFront(attributes.int("axis"), shape.length);
    const starts: number[] = [];
    let end = 0;
    for (const input of inputs) {
      starts.push(end);
      end += input.shape[axis] ?? 0;
    }
    const parts = inputs.map(toNumbers);
    return positions(shape).map((place) => {
      const part = starts.findLastIndex((start, i) => (place[axis] ?? 0) >= start && (inputs[i]?.shape[axis] ?? 0) > 0);
      return parts[part]?.[flatIndex(inputs[part]?.shape ?? [], place.with(axis, (place[axis] ?? 0) - (starts[part] ?? 0)))] ?? Number.NaN;
    });
  },
  Gather({ inputs, first, shape, attributes }) {
    const [, indices] = inputs;
    if (indices === undefined) return undefined;
    const axis = fromFront(attributes.int("axis"), first.shape.length);
    const chosen = toNumbers(indices).map((index) => fromFront(index, first.shape[axis] ?? 0));
    if (chosen.some((index) => index < 0 || index >= (first.shape[axis] ?? 0))) return undefined;
    return pick(first, shape, (place) => {
      const index = flatIndex(indices.shape, place.slice(axis, axis + indices.shape.length));
      return [...place.slice(0, axis), chosen[index] ?? 0, ...place.slice(axis + indices.shape.length)];
    });
  },
  Slice({ inputs, first, shape }) {
    const [, starts = [], ends = [], givenAxes, givenSteps] = inputs.map(toNumbers);
    const axes = (givenAxes ?? [...starts.keys()]).map((axis) => fromFront(axis, first.shape.length));
    return pick(first, shape, (place) =>
      place.map((position, axis) => {
        const i = axes.indexOf(axis);
        if (i < 0) return position;
        const range = sliceRange(first.shape[axis] ?? 0, { start: starts[i] ?? 0, end: ends[i] ?? 0, step: givenSteps?.[i] ?? 1 });
        return range.first + position * range.step;
      }),
    );
  },
  Transpose({ first, shape, attributes }) {
    const perm = attributes.has("perm") ? attributes.ints("perm") : [...shape.keys()].toReversed();
    return pick(first, shape, (place) => place.map((_, axis) => place[perm.indexOf(axis)] ?? 0));
  },
};

/** Elements of a tensor at the place that each place of the output comes from. */
function pick(from: Tensor, shape: readonly number[], source: (place: readonly number[]) => readonly number[]): readonly number[] {
  const numbers = toNumbers(from);
  return positions(shape).map((place) => numbers[flatIndex(from.shape, source(place))] ?? Number.NaN);
}

function positions(shape: readonly number[]): readonly (readonly number[])[] {
  return Array.from({ length: elementCount(shape) }, (_, flat) => {
    let rest = flat;
    return shape.map((size, axis) => {
      const stride = elementCount(shape.slice(axis + 1));
      const place = Math.floor(rest / stride) % size;
      rest -= place * stride;
      return place;
    });
  });
}

function flatIndex(shape: readonly number[], place: readonly number[]): number {
  return shape.reduce((index, size, axis) => index * size + (place[axis] ?? 0), 0);
}

function fromFront(axis: number, size: number): number {
  return axis < 0 ? axis + size : axis;
}
