import { toNumbers } from "../tensor.ts";
import { reshape, zerosLike } from "./gradients.ts";
import type { Emitter, Operator, Value } from "./operator.ts";
import { knownInts, movableTypes, typed } from "./shapes.ts";

/** A value repeated along each axis as often as `repeats` (input 1) says; the batch axis only once. @see https://onnx.ai/onnx/operators/onnx__Tile.html */
export const tile: Operator = {
  name: "Tile",
  domain: "",
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: {},
  infer(context) {
    const x = typed(context, 0, movableTypes);
    typed(context, 1, ["int64"]);
    const repeats = knownInts(context, 1, "repeats");
    if (repeats.length !== x.shape.length) context.fail(`${repeats.length} repeats for ${x.shape.length} axes: there must be one for each`);
    const shape = x.shape.map((size, axis) => {
      const times = repeats[axis] ?? 1;
      if (times < 0) return context.fail(`a value cannot be repeated ${times} times`);
      if (size === "batch" && times !== 1) return context.fail("the batch axis cannot be repeated");
      return size === "batch" ? size : size * times;
    });
    return [{ dtype: x.dtype, shape }];
  },
  gradient({ emit, input, constant, gradients: [dy] }) {
    const repeats = constant(1);
    if (dy === undefined || repeats === undefined) return [];
    if (toNumbers(repeats).includes(0)) return [zerosLike(emit, input(0))];
    return [toNumbers(repeats).reduce((gradient, times, axis) => sumOfCopies(emit, gradient, { axis, times }), dy)];
  },
  lower({ emit, input, constant }) {
    const repeats = constant(1);
    return [
      (repeats ? toNumbers(repeats) : []).reduce((value, times, axis) => copied(emit, value, { axis, times }), emit.op("Identity", [input(0)])),
    ];
  },
};

interface Copies {
  readonly axis: number;
  readonly times: number;
}

/** [.., n, ..] as [.., times * n, ..]. */
function copied(emit: Emitter, value: Value, { axis, times }: Copies): Value {
  if (times === 1) return value;
  const column = emit.op("Unsqueeze", [value, emit.ints([axis])]);
  const shape = column.shape.map((_, i) => (i === axis ? times : 1));
  return reshape(emit, emit.op("Expand", [column, emit.ints(shape)]), value.shape.with(axis, Number(value.shape[axis]) * times));
}

function sumOfCopies(emit: Emitter, value: Value, { axis, times }: Copies): Value {
  if (times === 1) return value;
  const size = Number(value.shape[axis]) / times;
  const apart = reshape(emit, value, value.shape.toSpliced(axis, 1, times, size));
  return emit.op("ReduceSum", [apart, emit.ints([axis])], { keepdims: 0 });
}
