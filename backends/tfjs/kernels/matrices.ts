import * as tf from "@tensorflow/tfjs-core";
import type { TfjsDevice } from "../device.ts";
import { full } from "./elementwise.ts";
import type { KernelContext, Kernels } from "./kernel.ts";

/** Products of matrices. */
export const matrices: Kernels = {
  MatMul: { run: matMul },
  Gemm: { run: gemm },
};

/** A product of two matrices, either of them transposed first. */
export interface ProductOptions {
  readonly device: TfjsDevice;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * a b for matrices [m, k] and [k, n].
 *
 * On wasm only plain matrices reach XNNPACK; a transposed or batched operand is 12-18 times slower than transposing first (facts on tfjs 4.22).
 */
export function product(a: tf.Tensor, b: tf.Tensor, { device, transposeA = false, transposeB = false }: ProductOptions): tf.Tensor {
  if (device !== "wasm") return tf.matMul(emptyMargins(a, device), emptyMargins(b, device), transposeA, transposeB);
  return tf.matMul(transposeA ? tf.transpose(a) : a, transposeB ? tf.transpose(b) : b);
}

/**
 * The same matrix with zeros beyond its edges. WebGL keeps 2x2 elements in a pixel, and its product reads whole pixels: where a side is odd, what kernels such as
 * exp have left beyond the edge (e^0 = 1) enters the sums (tfjs 4.22). Division is the kernel that clears it.
 */
export function emptyMargins<T extends tf.Tensor>(x: T, device: TfjsDevice): T {
  const [rows = 1, columns = 1] = x.shape.slice(-2);
  return device === "webgl" && (rows % 2 === 1 || columns % 2 === 1) ? tf.div<T>(x, tf.scalar(1)) : x;
}

function gemm({ input, inputs, attributes, device, outputType }: KernelContext): tf.Tensor {
  const transposeA = attributes.int("transA") === 1;
  const transposeB = attributes.int("transB") === 1;
  const alpha = attributes.float("alpha");
  const beta = attributes.float("beta");
  const c = inputs[2];
  const columns = outputType.shape[1];
  if (c !== undefined && alpha === 1 && beta === 1 && c.rank === 1 && c.size === columns) {
    const a = device === "wasm" && transposeA ? tf.transpose(input(0)) : emptyMargins(input(0), device);
    const b = device === "wasm" && transposeB ? tf.transpose(input(1)) : emptyMargins(input(1), device);
    const flags = device === "wasm" ? {} : { transposeA, transposeB };
    return tf.fused.matMul({ a, b, bias: c, ...flags });
  }
  const raw = product(input(0), input(1), { device, transposeA, transposeB });
  const scaled = alpha === 1 ? raw : tf.mul(raw, alpha);
  return c === undefined ? scaled : tf.add(scaled, beta === 1 ? c : tf.mul(c, beta));
}

/** NumPy's product: vectors are rows or columns, leading axes broadcast. */
function matMul({ input, device, outputType }: KernelContext): tf.Tensor {
  const a = input(0).rank === 1 ? tf.reshape(input(0), [1, -1]) : input(0);
  const b = input(1).rank === 1 ? tf.reshape(input(1), [-1, 1]) : input(1);
  const result = b.rank === 2 ? flattened(a, b, device) : batched(a, b, device);
  return tf.reshape(result, [...outputType.shape]);
}

/** Many rows times one matrix is one product, however the rows are grouped. */
function flattened(a: tf.Tensor, b: tf.Tensor, device: TfjsDevice): tf.Tensor {
  return product(tf.reshape(a, [-1, a.shape[a.rank - 1] ?? 1]), b, { device });
}

/** A batch of products, [products, rows, columns]; on wasm each alone, so that each reaches XNNPACK. */
function batched(a: tf.Tensor, b: tf.Tensor, device: TfjsDevice): tf.Tensor {
  const leading = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  // The shader devices refuse leading axes that differ.
  const whole = (x: tf.Tensor): tf.Tensor => tf.reshape(full(x, [...leading, ...x.shape.slice(-2)]), [-1, ...x.shape.slice(-2)]);
  const [left, right] = [whole(a), whole(b)];
  if (device !== "wasm") return tf.matMul(emptyMargins(left, device), emptyMargins(right, device));
  const others = tf.unstack(right);
  return tf.stack(tf.unstack(left).map((matrix, i) => tf.matMul(matrix, others[i] as tf.Tensor))); // both have the broadcast batch
}
