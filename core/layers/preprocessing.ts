import { EspalierError } from "../errors.ts";
import { dtypeCodes } from "../operators/cast.ts";
import type { Value } from "../operators/operator.ts";
import { tensor, toNumbers, type Tensor } from "../tensor.ts";
import { checkNumber, sizeOf } from "./argument.ts";
import { described, type Layer, type LayerContext, type LayerName } from "./layer.ts";

/** What Normalization knows of its data: one number for all, or one for each place of the axis. */
export interface NormalizationStatistics {
  readonly mean: number | readonly number[];
  readonly variance: number | readonly number[];
}

/** Arguments of Keras's Normalization. */
export interface NormalizationOptions extends LayerName, NormalizationStatistics {
  /** The dimension whose places are normalised each by itself. Default -1; 1 for the channels of images. */
  readonly axis?: number | undefined;
  /** Whether it does the reverse: from normalised to the data's own scale. Default false. */
  readonly invert?: boolean;
}

/**
 * (x - mean) / sqrt(variance), with numbers that were found beforehand and are not trained: `adaptNormalization` finds them.
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when there are not as many numbers as places
 * @see https://keras.io/api/layers/preprocessing_layers/numerical/normalization/
 */
export function normalization({ axis = -1, mean, variance, invert = false, ...common }: NormalizationOptions): Layer {
  const [means, variances] = [listed("mean", mean, {}), listed("variance", variance, { from: 0 })];
  // A variance of 0 divides by Keras's epsilon.
  const deviations = variances.map((one) => Math.max(Math.sqrt(one), 1e-7));
  return {
    ...described("Normalization", common, { axis, mean, variance, invert }),
    passesMask: true,
    apply(context, x) {
      const { emit } = context;
      const m = along(context, x, { axis, values: means });
      const s = along(context, x, { axis, values: invert ? deviations : deviations.map((one) => 1 / one) });
      return invert ? emit.op("Add", [emit.op("Mul", [x, s]), m]) : emit.op("Mul", [emit.op("Sub", [x, m]), s]);
    },
  };
}

/**
 * Mean and variance of data, for `normalization`.
 *
 * @param data a tensor [rows, ...], or several of them one after the other
 * @param options.axis the dimension whose places have numbers of their own; default -1
 * @throws ARGUMENT_INVALID for data without rows, or an axis that it has not
 */
export function adaptNormalization(data: Tensor | Iterable<Tensor>, { axis = -1 }: { readonly axis?: number } = {}): NormalizationStatistics {
  let count = 0;
  let mean: number[] = [];
  let squares: number[] = [];
  for (const part of "dtype" in data ? [data] : data) {
    const size = part.shape.at(axis);
    if (size === undefined || part.shape.length < 2 || axis === 0) {
      throw new EspalierError("ARGUMENT_INVALID", `adaptNormalization: axis ${axis} is none of [${part.shape.join(", ")}] after the rows`, { axis });
    }
    if (mean.length === 0) [mean, squares] = [Array.from({ length: size }, () => 0), Array.from({ length: size }, () => 0)];
    const inner = part.shape.slice(axis < 0 ? axis + part.shape.length + 1 : axis + 1).reduce((a, b) => a * b, 1);
    // B. P. Welford (1962): one pass that keeps its digits where the mean is much larger than the deviation.
    toNumbers(part).forEach((value, i) => {
      const place = Math.floor(i / inner) % size;
      const seen = count + Math.floor(i / (inner * size)) * inner + (i % inner) + 1;
      const distance = value - (mean[place] ?? 0);
      mean[place] = (mean[place] ?? 0) + distance / seen;
      squares[place] = (squares[place] ?? 0) + distance * (value - (mean[place] ?? 0));
    });
    count += part.data.length / size;
  }
  if (count === 0) throw new EspalierError("ARGUMENT_INVALID", "adaptNormalization: there are no rows to learn from", {});
  return { mean, variance: squares.map((sum) => sum / count) };
}

/** x scale + offset. @throws ARGUMENT_INVALID @see https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/ */
export function rescaling({ scale, offset = 0, ...common }: { readonly scale: number; readonly offset?: number } & LayerName): Layer {
  checkNumber("rescaling", "scale", scale);
  checkNumber("rescaling", "offset", offset);
  return {
    ...described("Rescaling", common, { scale, offset }),
    passesMask: true,
    placewise: true,
    apply({ emit }, x) {
      const scaled = emit.op("Mul", [x, emit.scalar(scale, x.dtype)]);
      return offset === 0 ? scaled : emit.op("Add", [scaled, emit.scalar(offset, x.dtype)]);
    },
  };
}

/**
 * The number of the interval that each element lies in, from 0: how many boundaries are not above it. int32.
 *
 * @param options.binBoundaries rising numbers
 * @throws ARGUMENT_INVALID unless they rise
 * @see https://keras.io/api/layers/preprocessing_layers/numerical/discretization/
 */
export function discretization({ binBoundaries, ...common }: { readonly binBoundaries: readonly number[] } & LayerName): Layer {
  const boundaries = listed("binBoundaries", binBoundaries, {}, "discretization");
  if (boundaries.some((value, i) => i > 0 && value <= (boundaries[i - 1] ?? -Infinity))) {
    throw new EspalierError("ARGUMENT_INVALID", `discretization: binBoundaries must rise, not [${boundaries.join(", ")}]`, { binBoundaries });
  }
  return {
    ...described("Discretization", common, { binBoundaries }),
    apply({ emit }, x) {
      const reached = emit.op("GreaterOrEqual", [
        emit.op("Unsqueeze", [x, emit.ints([-1])]),
        emit.constant(tensor(x.dtype, [boundaries.length], boundaries)),
      ]);
      const count = emit.op("ReduceSum", [emit.op("Cast", [reached], { to: dtypeCodes.float32 }), emit.ints([-1])], { keepdims: 0 });
      return emit.op("Cast", [count], { to: dtypeCodes.int32 });
    },
  };
}

/**
 * Steps of [batch, steps, features] whose features all have one value are padding: set to 0, and masked for the layers after this one.
 *
 * @param options.maskValue default 0
 * @throws ARGUMENT_INVALID; GRAPH_SHAPE when the input has no steps
 * @see https://keras.io/api/layers/core_layers/masking/
 */
export function masking({ maskValue = 0, ...common }: { readonly maskValue?: number } & LayerName = {}): Layer {
  checkNumber("masking", "maskValue", maskValue);
  return {
    ...described("Masking", common, { maskValue }),
    apply({ emit, setMask, fail }, x) {
      if (x.shape.length !== 3) return fail("takes [batch, steps, features]");
      const differs = emit.op("Not", [emit.op("Equal", [x, emit.scalar(maskValue, x.dtype)])]);
      const counts = emit.op("ReduceMax", [emit.op("Cast", [differs], { to: dtypeCodes[x.dtype] }), emit.ints([-1])], { keepdims: 1 });
      const kept = emit.op("Mul", [x, counts]);
      setMask(kept, emit.op("Cast", [emit.op("Squeeze", [counts, emit.ints([-1])])], { to: dtypeCodes.bool }));
      return kept;
    },
  };
}

function listed(argument: string, value: unknown, bounds: { readonly from?: number }, where = "normalization"): readonly number[] {
  const all = Array.isArray(value) ? (value as readonly unknown[]) : [value]; // a list of anything
  if (all.length === 0) throw new EspalierError("ARGUMENT_INVALID", `${where}: ${argument} is empty`, { argument });
  return all.map((one) => checkNumber(where, argument, one as number, bounds)); // which is checked there
}

/** Numbers along an axis of x, or one for all. */
function along({ emit, fail }: LayerContext, x: Value, { axis, values }: { readonly axis: number; readonly values: readonly number[] }): Value {
  const [first = 0] = values;
  if (values.length === 1) return emit.scalar(first, x.dtype);
  const size = sizeOf(x, axis);
  if (size !== values.length) return fail(`${values.length} means and variances do not go with ${size ?? "no"} places of axis ${axis}`);
  const place = axis < 0 ? axis + x.shape.length : axis;
  return emit.constant(tensor(x.dtype, [size, ...x.shape.slice(place + 1).map(() => 1)], values));
}
