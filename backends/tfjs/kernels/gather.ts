import * as tf from "@tensorflow/tfjs-core";
import { EspalierError, elementCount, type Tensor } from "../../../core/index.ts";
import { full } from "./elementwise.ts";
import { constantInts, fromFront, type KernelContext, type Kernels } from "./kernel.ts";

/** Operators that read or write at indices, and padding. */
export const gathering: Kernels = {
  Gather: { run: gather },
  GatherGrad: { run: gatherGrad },
  ScatterND: { run: scatter },
  Pad: { run: pad, takes: ({ attributes }) => attributes.string("mode") === "constant" },
};

function gather(context: KernelContext): tf.Tensor {
  const { input, attributes, outputType } = context;
  const data = input(0);
  const axis = fromFront(attributes.int("axis"), data.rank);
  const indices = checkedIndices(context, { index: 1, size: data.shape[axis] ?? 0, fromEnd: true });
  return tf.reshape(tf.gather(data, tf.reshape(indices, [-1]), axis), [...outputType.shape]);
}

/** dY added up where Gather read, with `axis` brought to the front, as scattering needs it. */
function gatherGrad(context: KernelContext): tf.Tensor {
  const { input, attributes, outputType } = context;
  const shape = outputType.shape;
  const axis = fromFront(attributes.int("axis"), shape.length);
  const size = shape[axis] ?? 0;
  const indices = checkedIndices(context, { index: 1, size, fromEnd: true });
  if (indices.size === 0) return tf.zeros([...shape]); // WebGL scatters no rows
  const outer = elementCount(shape.slice(0, axis));
  const inner = elementCount(shape.slice(axis + 1));
  const updates = tf.transpose(tf.reshape(input(2), [outer, indices.size, inner]), [1, 0, 2]);
  const sums = sumAtPlaces(context, tf.reshape(indices, [-1, 1]), tf.reshape(updates, [indices.size, outer * inner]), [size, outer * inner]);
  return tf.reshape(tf.transpose(tf.reshape(sums, [size, outer, inner]), [1, 0, 2]), [...shape]);
}

function scatter(context: KernelContext): tf.Tensor {
  const { input, attributes } = context;
  const [data, indices, updates] = [input(0), input(1), input(2)];
  const depth = indices.shape[indices.rank - 1] ?? 1;
  // Some kernels take indices and updates of two axes only.
  const rest = data.shape.slice(depth);
  const sizes = tf.tensor1d(data.shape.slice(0, depth), "int32");
  const given = tf.reshape(indices, [-1, depth]);
  const places = tf.where(tf.less(given, tf.scalar(0, "int32")), tf.add(given, sizes), given);
  const values = tf.reshape(updates, [places.shape[0] ?? 0, ...rest]);
  const reduction = attributes.string("reduction");
  if (reduction === "add") return tf.add(data, sumAtPlaces(context, places, values, data.shape));
  if (reduction === "none") return tf.tensorScatterUpdate(data, places, values);
  return joined(data, { places, values, reduction });
}

/**
 * Rows of `values` added up at `places` [rows, depth] of zeros.
 *
 * WebGL's shader reads two rows at a time and does not ask whether there is a second: an odd last one meets what the texture holds behind it, which for
 * a computed value is what its formula makes of zeros. A row of zeros at the first place is put there.
 */
function sumAtPlaces({ device }: KernelContext, places: tf.Tensor, values: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const [rows = 0, ...rest] = values.shape;
  if (device !== "webgl" || rows % 2 === 0) return tf.scatterND(places, values, [...shape]);
  const place = tf.zeros([1, places.shape[1] ?? 1], "int32");
  return tf.scatterND(tf.concat([places, place], 0), tf.concat([values, tf.zeros([1, ...rest], values.dtype)], 0), [...shape]);
}

interface Joining {
  /** [rows, depth], counted from the front */
  readonly places: tf.Tensor;
  /** [rows, rest of the data's shape] */
  readonly values: tf.Tensor;
  readonly reduction: string;
}

/** The product, smallest or largest of each element and the updates that meet it: every row is compared with every place. */
function joined(data: tf.Tensor, { places, values, reduction }: Joining): tf.Tensor {
  const depth = places.shape[1] ?? 1;
  const sizes = data.shape.slice(0, depth);
  const [rows, count, block] = [places.shape[0] ?? 0, elementCount(sizes), elementCount(data.shape.slice(depth))];
  const strides = sizes.map((_, axis) => elementCount(sizes.slice(axis + 1)));
  const flat = tf.sum(tf.mul(places, tf.tensor1d(strides, "int32")), 1, true); // [rows, 1]
  const meets = tf.reshape(tf.equal(flat, tf.reshape(tf.range(0, count, 1, "int32"), [1, count])), [rows, count, 1]);
  const shape = [rows, count, block];
  const target = tf.reshape(data, [1, count, block]);
  const nothing = reduction === "mul" ? tf.onesLike(target) : target;
  const updates = tf.where(full(meets, shape), full(tf.reshape(values, [rows, 1, block]), shape), full(nothing, shape));
  const all = tf.concat([target, updates], 0);
  const result = reduction === "mul" ? tf.prod(all, 0) : reduction === "min" ? tf.min(all, 0) : tf.max(all, 0);
  return tf.cast(tf.reshape(result, data.shape), data.dtype);
}

function pad(context: KernelContext): tf.Tensor {
  const x = context.input(0);
  const pads = constantInts(context, 1) ?? [];
  const axes = (constantInts(context, 3) ?? x.shape.map((_, axis) => axis)).map((axis) => fromFront(axis, x.rank));
  const begin = x.shape.map((_, axis) => pads[axes.indexOf(axis)] ?? 0);
  const end = x.shape.map((_, axis) => (axes.includes(axis) ? (pads[axes.indexOf(axis) + axes.length] ?? 0) : 0));
  const kept = x.shape.map((size, axis) => size + Math.min(0, begin[axis] ?? 0) + Math.min(0, end[axis] ?? 0));
  const cut = tf.slice(
    x,
    begin.map((count) => Math.max(0, -count)),
    kept,
  );
  const value = context.host(2);
  const around = begin.map((count, axis): [number, number] => [Math.max(0, count), Math.max(0, end[axis] ?? 0)]);
  if (value !== undefined || context.inputs[2] === undefined) return padded(cut, around, value === undefined ? 0 : Number(value.data[0]));
  // A constant that only the device knows: zeros around x, plus the constant around zeros.
  const filled = tf.mul(padded(tf.zerosLike(cut), around, 1), context.input(2));
  return tf.add(padded(cut, around, 0), filled);
}

/** Above four axes the shaders of WebGPU do not compile: one axis after the other, with those before and after it as one each. */
function padded(x: tf.Tensor, around: readonly [number, number][], value: number): tf.Tensor {
  if (x.rank <= 4) return tf.pad(x, [...around], value);
  return around.reduce((result, [begin, end], axis) => {
    if (begin === 0 && end === 0) return result;
    const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
    const size = result.shape[axis] ?? 1;
    const flat = tf.reshape(result, [product(result.shape.slice(0, axis)), size, product(result.shape.slice(axis + 1))]);
    const wider = tf.pad(
      flat,
      [
        [0, 0],
        [begin, end],
        [0, 0],
      ],
      value,
    );
    return tf.reshape(wider, result.shape.with(axis, size + begin + end));
  }, x);
}

/** What indices may be. */
export interface IndexRule {
  /** Which of the node's inputs they are. */
  readonly index: number;
  /** How many there are to choose from. */
  readonly size: number;
  /** Whether -1 is the last one. */
  readonly fromEnd: boolean;
  /** A value that is always allowed. */
  readonly except?: number;
}

/**
 * Indices as int32, counted from the front. Devices read outside their memory or answer with zeros, so those that the host has are checked; wasm's are too,
 * at the price of a copy.
 *
 * @throws TENSOR_INVALID naming the index and the node
 */
export function checkedIndices(context: KernelContext, rule: IndexRule): tf.Tensor {
  const { input, host, device } = context;
  const indices = input(rule.index);
  const known: ArrayLike<unknown> | undefined = host(rule.index)?.data ?? (device === "wasm" ? indices.dataSync() : undefined);
  if (known === undefined) {
    return rule.fromEnd ? tf.where(tf.less(indices, tf.scalar(0, "int32")), tf.add(indices, tf.scalar(rule.size, "int32")), indices) : indices;
  }
  let negative = false;
  for (let i = 0; i < known.length; i++) {
    const index = Number(known[i]);
    negative ||= index < 0;
    if (index === rule.except || (index >= (rule.fromEnd ? -rule.size : 0) && index < rule.size)) continue;
    throw new EspalierError("TENSOR_INVALID", `${context.node.name} (${context.node.operator}): index ${index} is outside 0 to ${rule.size - 1}`, {
      node: context.node.name,
      index,
      size: rule.size,
    });
  }
  if (!negative || !rule.fromEnd) return indices;
  return tf.tensor(
    Int32Array.from(known as ArrayLike<bigint | number>, (index) => frontIndex(Number(index), rule.size)),
    indices.shape,
    "int32",
  ); // whole numbers
}

function frontIndex(index: number, size: number): number {
  return index < 0 ? index + size : index;
}

/** The one number of a tensor on the host. */
export function hostNumber(value: Tensor | undefined): number | undefined {
  return value === undefined || value.data.length !== 1 ? undefined : Number(value.data[0]);
}
