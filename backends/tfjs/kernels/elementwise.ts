import * as tf from "@tensorflow/tfjs-core";
import { dtypeOfCode, elementCount } from "../../../core/index.ts";
import type { TfjsDevice } from "../device.ts";
import { memoryType } from "../memory.ts";
import type { Kernel, KernelContext, Kernels } from "./kernel.ts";

/** Operators that work element by element. */
export const elementwise: Kernels = {
  Add: binary(tf.add),
  Sub: binary(tf.sub),
  Mul: binary(tf.mul),
  Div: { run: divide },
  Pow: { run: power },
  Neg: { run: ({ input }) => (isWhole(input(0)) ? tf.sub(tf.scalar(0, "int32"), input(0)) : tf.neg(input(0))) },
  Abs: { run: ({ input }) => (isWhole(input(0)) ? tf.maximum(input(0), tf.sub(tf.scalar(0, "int32"), input(0))) : tf.abs(input(0))) },
  Sign: { run: ({ input }) => tf.sub(tf.cast(tf.greater(input(0), 0), input(0).dtype), tf.cast(tf.less(input(0), 0), input(0).dtype)) },
  Sqrt: unary(tf.sqrt),
  Exp: unary(tf.exp),
  Log: unary(tf.log),
  Erf: { run: ({ input }) => errorFunction(input(0)) },
  Relu: unary(tf.relu),
  Sigmoid: unary(tf.sigmoid),
  Tanh: unary(tf.tanh),
  Sin: unary(tf.sin),
  Cos: unary(tf.cos),
  Tan: unary(tf.tan),
  Asin: unary(tf.asin),
  Acos: unary(tf.acos),
  Atan: unary(tf.atan),
  Sinh: unary(tf.sinh),
  Cosh: unary(tf.cosh),
  Asinh: unary(tf.asinh),
  Acosh: unary(tf.acosh),
  Atanh: unary(tf.atanh),
  Floor: unary(tf.floor),
  Ceil: unary(tf.ceil),
  Round: unary(tf.round),
  IsNaN: unary(tf.isNaN),
  IsInf: {
    run: ({ input }) => tf.isInf(input(0)),
    takes: ({ attributes }) => attributes.int("detect_positive") === 1 && attributes.int("detect_negative") === 1,
  },
  Max: variadic(tf.maximum),
  Min: variadic(tf.minimum),
  Equal: compare(tf.equal),
  Greater: compare(tf.greater),
  GreaterOrEqual: compare(tf.greaterEqual),
  Less: compare(tf.less),
  LessOrEqual: compare(tf.lessEqual),
  And: binary(tf.logicalAnd),
  Or: binary(tf.logicalOr),
  Not: unary(tf.logicalNot),
  Where: {
    run({ input, outputType: { shape } }) {
      const [condition, a, b] = [full(input(0), shape), full(input(1), shape), full(input(2), shape)];
      if (shape.length <= 4) return tf.where(condition, a, b);
      const flat = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [-1]); // WebGPU has no such choice above four axes
      return tf.reshape(tf.where(flat(condition), flat(a), flat(b)), [...shape]);
    },
  },
  Cast: { run: cast },
  Identity: { run: ({ input }) => tf.clone(input(0)) },
};

function unary(operation: (x: tf.Tensor) => tf.Tensor): Kernel {
  return { run: ({ input }) => operation(input(0)) };
}

function binary(operation: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Kernel {
  return { run: (context) => wrapBytes(context, operation(context.input(0), context.input(1))) };
}

function variadic(operation: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Kernel {
  return { run: ({ inputs, input }) => tf.clone(inputs.slice(1).reduce<tf.Tensor>((result, next) => operation(result, next ?? input(0)), input(0))) };
}

/** Comparisons of truth values are made on numbers, which every device has. */
function compare(operation: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Kernel {
  const number = (x: tf.Tensor): tf.Tensor => (x.dtype === "bool" ? tf.cast(x, "int32") : x);
  return { run: ({ input }) => operation(number(input(0)), number(input(1))) };
}

function isWhole(x: tf.Tensor): boolean {
  return x.dtype === "int32";
}

/** Bytes live in 32 bits on the device; their arithmetic wraps as bytes do. */
function wrapBytes({ outputType }: KernelContext, result: tf.Tensor): tf.Tensor {
  return outputType.dtype === "uint8" ? tf.mod(result, tf.scalar(256, "int32")) : result;
}

/** Whole numbers are cut towards zero, where TensorFlow.js rounds down. */
function divide({ input }: KernelContext): tf.Tensor {
  const [a, b] = [input(0), input(1)];
  if (!isWhole(a)) return tf.div(a, b);
  const down = tf.floorDiv(a, b);
  const inexact = tf.notEqual(tf.sub(a, tf.mul(down, b)), tf.scalar(0, "int32"));
  const cutUp = tf.logicalAnd(inexact, tf.less(down, tf.scalar(0, "int32")));
  return tf.add(down, tf.cast(cutUp, "int32"));
}

/** Powers are computed in floats; whole ones are exact up to 2^24. Squares and roots, most of what optimizers need, have their own kernels. */
function power({ input, host, outputType }: KernelContext): tf.Tensor {
  const known = host(1);
  const exponent = known !== undefined && known.data.length === 1 && known.shape.length === 0 ? Number(known.data[0]) : undefined;
  const x = input(0);
  if (exponent === 2) return tf.mul(x, x);
  if (exponent === 0.5 && !isWhole(x)) return tf.sqrt(x);
  const result = tf.pow(tf.cast(x, "float32"), tf.cast(input(1), "float32"));
  return outputType.dtype === "float32" ? result : tf.cast(tf.round(result), "int32");
}

function cast({ input, attributes, inputType, device }: KernelContext): tf.Tensor {
  const x = input(0);
  const to = dtypeOfCode(attributes.int("to")) ?? "float32"; // the shape rule has refused others
  const target = memoryType(to) ?? "float32"; // refused at compile time
  if (to === "bool") return inputType(0).dtype === "bool" ? tf.clone(x) : tf.notEqual(x, tf.scalar(0, x.dtype === "bool" ? "int32" : x.dtype));
  const value = target === "float32" ? toFloats(x, device) : tf.cast(x, target);
  return to === "uint8" && inputType(0).dtype !== "bool" ? tf.mod(value, tf.scalar(256, "int32")) : value;
}

/**
 * Numbers or truth values as floats. The webgpu device (tfjs 4.22) only relabels whole numbers, and shaders that read them as floats later do not compile:
 * a multiplication makes floats of them.
 */
export function toFloats(x: tf.Tensor, device: TfjsDevice): tf.Tensor {
  const floats = tf.cast(x, "float32");
  return device === "webgpu" && x.dtype !== "float32" ? tf.mul(floats, tf.scalar(1)) : floats;
}

/**
 * The error function by a series near 0 and Abramowitz and Stegun's 7.1.26 would lose digits near 0, which gradients see; TensorFlow.js has only the latter.
 *
 * @see https://personal.math.ubc.ca/~cbm/aands/page_299.htm
 */
function errorFunction(x: tf.Tensor): tf.Tensor {
  const square = tf.mul(x, x);
  // x 2/sqrt(pi) (1 - x^2/3 + x^4/10 - x^6/42 + x^8/216): below 1e-8 for |x| < 0.4
  const series = [1 / 216, -1 / 42, 1 / 10, -1 / 3, 1].reduce<tf.Tensor>((sum, term) => tf.add(tf.mul(sum, square), term), tf.scalar(0));
  return tf.where(tf.less(square, 0.16), tf.mul(tf.mul(x, series), 2 / Math.sqrt(Math.PI)), tf.erf(x));
}

/** A tensor copied to a shape; devices disagree on how far a selection broadcasts. */
export function full(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  if (x.shape.length === shape.length && shape.every((size, i) => size === x.shape[i])) return x;
  const runs = runsOf([...Array.from({ length: shape.length - x.rank }, () => 1), ...x.shape], shape);
  const flat = tf.reshape(
    x,
    runs.map(({ from }) => from),
  );
  if (runs.length <= 4)
    return tf.reshape(
      tf.broadcastTo(
        flat,
        runs.map(({ to }) => to),
      ),
      [...shape],
    );
  // WebGPU copies along four axes at most: one after the other, with those before and after it as one each.
  const copied = runs.reduce((value: tf.Tensor, { from, to }, axis) => {
    if (from === to) return value;
    const before = elementCount(value.shape.slice(0, axis));
    const after = elementCount(value.shape.slice(axis + 1));
    return tf.reshape(tf.broadcastTo(tf.reshape(value, [before, 1, after]), [before, to, after]), value.shape.with(axis, to));
  }, flat);
  return tf.reshape(copied, [...shape]);
}

/** The sizes before and after a copy, axes that are copied together and axes that stay together as one. */
function runsOf(from: readonly number[], to: readonly number[]): readonly { readonly from: number; readonly to: number }[] {
  return to.reduce<readonly { readonly from: number; readonly to: number }[]>((runs, size, axis) => {
    const given = from[axis] ?? 1;
    const last = runs.at(-1);
    const isLike = last !== undefined && (last.from === last.to) === (given === size);
    return isLike ? [...runs.slice(0, -1), { from: last.from * given, to: last.to * size }] : [...runs, { from: given, to: size }];
  }, []);
}
