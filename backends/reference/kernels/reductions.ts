import { elementCount } from "../../../core/index.ts";
import { stridedIndices, stridesOf } from "../indices.ts";
import {
  intsOf,
  memoryFor,
  numbersOf,
  positiveAxis,
  required,
  tensorOf,
  type KernelContext,
  type KernelFactory,
  type Numbers,
  type NumericTensor,
} from "../kernel.ts";

/** Folds all elements of x into the results (doubles) that `target` names for each. */
type Fold = (x: Numbers, target: Int32Array, results: Float64Array) => void;

/** Reductions over axes; sums are in double precision and rounded once. */
export const reductionKernels: Readonly<Record<string, KernelFactory>> = {
  ReduceSum: reduction(0, addUp),
  ReduceMean: reduction(0, (x, target, results) => {
    addUp(x, target, results);
    const count = x.length / results.length;
    for (let i = 0; i < results.length; i += 1) results[i] = results[i]! / count;
  }),
  ReduceMax: reduction(-Infinity, (x, target, results) => {
    for (let i = 0; i < x.length; i += 1) results[target[i]!] = Math.max(results[target[i]!]!, x[i]!);
  }),
  ReduceMin: reduction(Infinity, (x, target, results) => {
    for (let i = 0; i < x.length; i += 1) results[target[i]!] = Math.min(results[target[i]!]!, x[i]!);
  }),
  ReduceProd: reduction(1, (x, target, results) => {
    for (let i = 0; i < x.length; i += 1) results[target[i]!] = results[target[i]!]! * x[i]!;
  }),
  ReduceL1: reduction(0, (x, target, results) => {
    for (let i = 0; i < x.length; i += 1) results[target[i]!] = results[target[i]!]! + Math.abs(x[i]!);
  }),
  ReduceL2: reduction(0, (x, target, results) => {
    addSquares(x, target, results);
    for (let i = 0; i < results.length; i += 1) results[i] = Math.sqrt(results[i]!);
  }),
  ReduceSumSquare: reduction(0, addSquares),
  ReduceLogSum: reduction(0, (x, target, results) => {
    addUp(x, target, results);
    for (let i = 0; i < results.length; i += 1) results[i] = Math.log(results[i]!);
  }),
  ReduceLogSumExp: reduction(0, (x, target, results) => {
    const largest = new Float64Array(results.length).fill(-Infinity);
    for (let i = 0; i < x.length; i += 1) largest[target[i]!] = Math.max(largest[target[i]!]!, x[i]!);
    // An infinite largest one cannot be taken off.
    const shifts = largest.map((value) => (Math.abs(value) === Infinity ? 0 : value));
    for (let i = 0; i < x.length; i += 1) results[target[i]!] = results[target[i]!]! + Math.exp(x[i]! - shifts[target[i]!]!);
    for (let i = 0; i < results.length; i += 1) results[i] = Math.log(results[i]!) + shifts[i]!;
  }),
  ArgMax: placeOf((value, record) => value > record),
  ArgMin: placeOf((value, record) => value < record),
};

/** The place of the element that beats all others. */
function placeOf(beats: Beats): KernelFactory {
  return ({ attributes }) => {
    const [last, keep] = [attributes.int("select_last_index") === 1, attributes.int("keepdims") === 1];
    return (inputs) => {
      const x = required(inputs, 0);
      const axis = positiveAxis(attributes.int("axis"), x.shape.length);
      const size = x.shape[axis]!;
      const inner = elementCount(x.shape.slice(axis + 1));
      const source = numbersOf(x);
      const out = memoryFor("int64", source.length / size);
      for (let i = 0; i < out.length; i += 1) {
        out[i] = findBest(source, Math.floor(i / inner) * size * inner + (i % inner), { inner, size, last, beats });
      }
      return [tensorOf("int64", keep ? x.shape.with(axis, 1) : x.shape.toSpliced(axis, 1), out)];
    };
  };
}

function reduction(start: number, fold: Fold): KernelFactory {
  return (context) => (inputs) => {
    const x = required(inputs, 0);
    const axes = axesOf(context, x, inputs[1]);
    const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const steps = stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
    const results = new Float64Array(elementCount(kept)).fill(start);
    fold(numbersOf(x), stridedIndices(x.shape, steps), results);
    const shape = context.attributes.int("keepdims") === 1 ? kept : x.shape.filter((_, axis) => !axes.includes(axis));
    return [tensorOf(x.dtype, shape, results)];
  };
}

function axesOf({ attributes }: KernelContext, x: NumericTensor, given: NumericTensor | undefined): readonly number[] {
  const axes = given === undefined ? [] : intsOf(given).map((axis) => positiveAxis(axis, x.shape.length));
  if (axes.length > 0) return axes;
  return attributes.int("noop_with_empty_axes") === 1 ? [] : x.shape.map((_, axis) => axis);
}

function addUp(x: Numbers, target: Int32Array, results: Float64Array): void {
  for (let i = 0; i < x.length; i += 1) results[target[i]!] = results[target[i]!]! + x[i]!;
}

function addSquares(x: Numbers, target: Int32Array, results: Float64Array): void {
  for (let i = 0; i < x.length; i += 1) results[target[i]!] = results[target[i]!]! + x[i]! * x[i]!;
}

type Beats = (value: number, record: number) => boolean;

interface Search {
  readonly inner: number;
  readonly size: number;
  readonly last: boolean;
  readonly beats: Beats;
}

/** The place of the best of `size` elements that are `inner` apart; the first of equal ones, or the last. */
function findBest(x: Numbers, start: number, { inner, size, last, beats }: Search): number {
  let best = 0;
  for (let place = 1; place < size; place += 1) {
    const value = x[start + place * inner]!;
    const record = x[start + best * inner]!;
    if (beats(value, record) || (last && value === record)) best = place;
  }
  return best;
}
