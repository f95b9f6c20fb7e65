import { tensor, toNumbers } from "../tensor.ts";
import { dtypeCodes } from "./cast.ts";
import { asNumber, zerosLike } from "./gradients.ts";
import { oneHotAlong } from "./one-hot.ts";
import type { Emitter, Operator, Value } from "./operator.ts";
import { axisOf, signedTypes, typed } from "./shapes.ts";
import { fromFront, positionsAlong, range, staticShape } from "./static-shape.ts";

/**
 * The k (input 1, a constant) largest or smallest along `axis` and their places (int64), the best first; of equal ones the first.
 *
 * They are in order whatever `sorted` says.
 * @see https://onnx.ai/onnx/operators/onnx__TopK.html
 */
export const topK: Operator = {
  name: "TopK",
  domain: "",
  inputs: [2, 2],
  outputs: [2, 2],
  attributes: { axis: { kind: "int", default: -1 }, largest: { kind: "int", default: 1 }, sorted: { kind: "int", default: 1 } },
  infer(context) {
    const x = typed(context, 0, signedTypes);
    typed(context, 1, ["int64"]);
    const axis = axisOf(context, context.attributes.int("axis"), x.shape.length);
    const constant = context.constant(1) ?? context.fail("k (input 1) must be a constant");
    const [k = -1] = toNumbers(constant);
    const size = x.shape[axis] ?? 1;
    if (size === "batch") return context.fail("the axis cannot be the batch dimension");
    if (constant.data.length !== 1 || k < 0 || k > size)
      context.fail(`k (input 1) must be one number from 0 to ${size}, the size of axis ${axis}, not ${k}`);
    const shape = x.shape.with(axis, k);
    return [
      { dtype: x.dtype, shape },
      { dtype: "int64", shape },
    ];
  },
  gradient({ emit, input, outputs, attributes, gradients: [dy] }) {
    const [, places] = outputs;
    if (dy === undefined || places === undefined) return [];
    return [emit.op("ScatterElements", [zerosLike(emit, input(0)), places, dy], { axis: attributes.int("axis"), reduction: "add" })];
  },
  // For backends that cannot sort.
  lower(context) {
    const { emit, input, attributes, outputTypes } = context;
    const shape = staticShape(input(0));
    const axis = fromFront(attributes.int("axis"), shape.length);
    const size = shape[axis] ?? 1;
    const k = Number(outputTypes[0]?.shape[axis]);
    const last = shape.length - 1;
    const swapped = range(shape.length).map((i) => (i === axis ? last : i === last ? axis : i));
    const swap = (value: Value): Value => (axis === last ? value : emit.op("Transpose", [value], { perm: swapped }));
    const x = swap(input(0)); // [..., n]
    const search = { k, largest: attributes.int("largest") === 1 };
    const places = size * size <= mostPairs ? byComparison(emit, x, search) : byRounds(emit, x, search); // [..., k]
    return [swap(emit.op("GatherElements", [x, places], { axis: last })), swap(places)];
  },
};

/** Comparisons of one line above this take more memory than is sensible (4 MiB as float32): the best are then taken one after the other. */
const mostPairs = 2 ** 20;

interface Search {
  readonly k: number;
  readonly largest: boolean;
}

/** An element's rank is the number of those before it: each is compared with each. */
function byComparison(emit: Emitter, x: Value, { k, largest }: Search): Value {
  const rank = x.shape.length;
  const size = Number(x.shape.at(-1));
  const own = emit.op("Unsqueeze", [x, emit.ints([-1])]); // [..., n, 1]
  const other = emit.op("Unsqueeze", [x, emit.ints([-2])]); // [..., 1, n]
  const better = emit.op(largest ? "Greater" : "Less", [other, own]);
  const earlier = emit.constant(
    tensor(
      "bool",
      [size, size],
      range(size * size).map((i) => i % size < Math.floor(i / size)),
    ),
  );
  const ahead = emit.op("Or", [better, emit.op("And", [emit.op("Equal", [other, own]), earlier])]);
  const like = emit.scalar(0, "float32"); // counts up to 2^24
  const place = emit.op("ReduceSum", [asNumber(emit, ahead, like), emit.ints([-1])], { keepdims: 1 }); // [..., n, 1]
  const chosen = oneHotAlong(emit, emit.op("Cast", [place], { to: dtypeCodes.int64 }), { axis: rank, depth: k }); // [..., n, k]
  const column = emit.op("Cast", [positionsAlong(emit, { axis: rank - 1, size, rank: rank + 1 })], { to: dtypeCodes.float32 }); // [..., n, 1]
  const weighed = emit.op("Mul", [asNumber(emit, chosen, like), column]);
  return emit.op("Cast", [emit.op("ReduceSum", [weighed, emit.ints([-2])], { keepdims: 0 })], { to: dtypeCodes.int64 });
}

/** The best of those that are left, k times. */
function byRounds(emit: Emitter, x: Value, { k, largest }: Search): Value {
  const axis = x.shape.length - 1;
  const size = Number(x.shape.at(-1));
  const worst = emit.op(largest ? "ReduceMin" : "ReduceMax", [x, emit.ints([-1])], { keepdims: 1 });
  const places: Value[] = [];
  let taken: Value | undefined;
  for (let round = 0; round < k; round += 1) {
    const left: Value = taken === undefined ? x : emit.op("Where", [taken, worst, x]);
    const best = emit.op("Equal", [left, emit.op(largest ? "ReduceMax" : "ReduceMin", [left, emit.ints([-1])], { keepdims: 1 })]);
    const free = taken === undefined ? best : emit.op("And", [best, emit.op("Not", [taken])]);
    const place = emit.op("ArgMax", [asNumber(emit, free, emit.scalar(0, "float32"))], { axis, keepdims: 1 }); // the first of equal ones
    const here = oneHotAlong(emit, place, { axis, depth: size });
    taken = taken === undefined ? here : emit.op("Or", [taken, here]);
    places.push(place);
  }
  if (places.length === 0) return emit.op("Expand", [emit.scalar(0, "int64"), emit.ints([...staticShape(x).slice(0, -1), 0])]);
  return emit.op("Concat", places, { axis });
}
