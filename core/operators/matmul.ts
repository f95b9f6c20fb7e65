import { formatShape, type Dimension } from "../graph/graph.ts";
import { reshapeTo, sumTo } from "./gradients.ts";
import type { Emitter, Operator, Value } from "./operator.ts";
import { alike, broadcast, floatTypes } from "./shapes.ts";

/**
 * a [..., m, k] times b [..., k, n], the leading axes broadcast; a vector counts as one row (a) or one column (b).
 *
 * @see https://onnx.ai/onnx/operators/onnx__MatMul.html
 */
export const matMul: Operator = {
  name: "MatMul",
  domain: "",
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: {},
  infer(context) {
    alike(context, [0, 1], floatTypes);
    const { shape: a } = context.input(0);
    const { shape: b } = context.input(1);
    if (a.length === 0 || b.length === 0) context.fail("a scalar has no rows and columns");
    const inner = b.length === 1 ? b[0] : b[b.length - 2];
    if (a[a.length - 1] !== inner) {
      context.fail(`the last axis of ${formatShape(a)} and the rows of ${formatShape(b)} differ: ${a[a.length - 1]} is not ${inner}`);
    }
    const rows = a.length === 1 ? [] : a.slice(-2, -1);
    const columns = b.length === 1 ? [] : b.slice(-1);
    return [{ dtype: context.input(0).dtype, shape: [...broadcast(context, [a.slice(0, -2), b.slice(0, -2)]), ...rows, ...columns] }];
  },
  gradient({ emit, input, gradients: [dy], needs }) {
    if (dy === undefined) return [];
    const a = input(0);
    const b = input(1);
    // Vectors get their missing axis, so that only matrices are left.
    const matrixA = a.shape.length === 1 ? emit.op("Unsqueeze", [a, emit.ints([0])]) : a;
    const matrixB = b.shape.length === 1 ? emit.op("Unsqueeze", [b, emit.ints([1])]) : b;
    const rows = a.shape.length === 1 ? emit.op("Unsqueeze", [dy, emit.ints([b.shape.length === 1 ? -1 : -2])]) : dy;
    const dyMatrix = b.shape.length === 1 ? emit.op("Unsqueeze", [rows, emit.ints([-1])]) : rows;
    const da = needs(0) ? reshapeTo(emit, sumTo(emit, timesTransposed(emit, dyMatrix, matrixB), matrixA.shape), a) : undefined;
    const db = needs(1) ? reshapeTo(emit, sumTo(emit, transposedTimes(emit, matrixA, dyMatrix), matrixB.shape), b) : undefined;
    return [da, db];
  },
};

/** a bᵀ over the last two axes. */
function timesTransposed(emit: Emitter, a: Value, b: Value): Value {
  return areMatrices(a, b) ? emit.op("Gemm", [a, b], { transB: 1 }) : emit.op("MatMul", [a, transposed(emit, b)]);
}

/** aᵀ b over the last two axes. */
function transposedTimes(emit: Emitter, a: Value, b: Value): Value {
  return areMatrices(a, b) ? emit.op("Gemm", [a, b], { transA: 1 }) : emit.op("MatMul", [transposed(emit, a), b]);
}

function areMatrices(...values: readonly Value[]): boolean {
  return values.every((value) => value.shape.length === 2);
}

function transposed(emit: Emitter, value: Value): Value {
  const axes: number[] = value.shape.map((_, i) => i);
  const [row = 0, column = 0] = axes.splice(-2);
  return emit.op("Transpose", [value], { perm: [...axes, column, row] });
}

/**
 * alpha op(a) op(b) + beta c for matrices, where `transA` and `transB` transpose; c broadcasts to [m, n].
 *
 * @see https://onnx.ai/onnx/operators/onnx__Gemm.html
 */
export const gemm: Operator = {
  name: "Gemm",
  domain: "",
  inputs: [2, 3],
  outputs: [1, 1],
  attributes: {
    alpha: { kind: "float", default: 1 },
    beta: { kind: "float", default: 1 },
    transA: { kind: "int", default: 0 },
    transB: { kind: "int", default: 0 },
  },
  infer(context) {
    const { attributes, inputs } = context;
    alike(context, inputs[2] === undefined ? [0, 1] : [0, 1, 2], floatTypes);
    const a = oriented(context.input(0).shape, attributes.int("transA"));
    const b = oriented(context.input(1).shape, attributes.int("transB"));
    const [m, k] = a ?? context.fail("input 0 must be a matrix");
    const [rows, n] = b ?? context.fail("input 1 must be a matrix");
    if (k !== rows) context.fail(`[${m}, ${k}] times [${rows}, ${n}]: ${k} columns do not meet ${rows} rows`);
    const shape = [m, n];
    const c = inputs[2];
    if (c && formatShape(broadcast(context, [shape, c.shape])) !== formatShape(shape)) {
      context.fail(`input 2 of shape ${formatShape(c.shape)} does not broadcast to ${formatShape(shape)}`);
    }
    return [{ dtype: context.input(0).dtype, shape }];
  },
  gradient({ emit, input, inputs, attributes, gradients: [dy], needs }) {
    if (dy === undefined) return [];
    const [transA, transB, alpha] = [attributes.int("transA"), attributes.int("transB"), attributes.float("alpha")];
    const a = input(0);
    const b = input(1);
    const gradientA = (): Value =>
      transA === 0 ? emit.op("Gemm", [dy, b], { alpha, transB: 1 - transB }) : emit.op("Gemm", [b, dy], { alpha, transA: transB, transB: 1 });
    const gradientB = (): Value =>
      transB === 0 ? emit.op("Gemm", [a, dy], { alpha, transA: 1 - transA }) : emit.op("Gemm", [dy, a], { alpha, transA: 1, transB: transA });
    const beta = attributes.float("beta");
    const c = inputs[2];
    const dc = c && needs(2) ? scaled(emit, sumTo(emit, dy, c.shape), beta) : undefined;
    return [needs(0) ? gradientA() : undefined, needs(1) ? gradientB() : undefined, dc];
  },
  lower({ emit, input, inputs, attributes }) {
    const a = attributes.int("transA") === 0 ? input(0) : transposed(emit, input(0));
    const b = attributes.int("transB") === 0 ? input(1) : transposed(emit, input(1));
    const product = scaled(emit, emit.op("MatMul", [a, b]), attributes.float("alpha"));
    return [inputs[2] ? emit.op("Add", [product, scaled(emit, inputs[2], attributes.float("beta"))]) : product];
  },
};

function oriented(shape: readonly Dimension[], transpose: number): readonly [Dimension, Dimension] | undefined {
  const [rows, columns] = shape;
  if (rows === undefined || columns === undefined || shape.length !== 2) return undefined;
  return transpose === 0 ? [rows, columns] : [columns, rows];
}

function scaled(emit: Emitter, value: Value, factor: number): Value {
  return factor === 1 ? value : emit.op("Mul", [value, emit.scalar(factor, value.dtype)]);
}
