import { broadcastShape, broadcastTo } from "../indices.ts";
import { memoryFor, numbersOf, required, tensorOf, type KernelFactory, type Numbers } from "../kernel.ts";

/** Products of matrices. Sums are in double precision and rounded once. */
export const matMulKernels: Readonly<Record<string, KernelFactory>> = {
  /** [..., m, k] x [..., k, n] -> [..., m, n]. @see https://onnx.ai/onnx/operators/onnx__MatMul.html */
  MatMul: () => (inputs) => {
    const [a, b] = [required(inputs, 0), required(inputs, 1)];
    const shapeA = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
    const shapeB = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
    const [m, k] = shapeA.slice(-2) as [number, number]; // the ranks are at least 2 now
    const n = shapeB.at(-1)!;
    const outer = broadcastShape([shapeA.slice(0, -2), shapeB.slice(0, -2)]);
    const wideA = numbersOf(broadcastTo({ ...a, shape: shapeA }, [...outer, m, k]));
    const wideB = numbersOf(broadcastTo({ ...b, shape: shapeB }, [...outer, k, n]));
    const matrices = outer.reduce((product, size) => product * size, 1);
    const out = memoryFor(a.dtype, matrices * m * n);
    for (let matrix = 0; matrix < matrices; matrix += 1) {
      const offsets = { a: matrix * m * k, b: matrix * k * n, out: matrix * m * n };
      multiply({ a: wideA, b: wideB, out, m, k, n, rowA: k, columnA: 1, rowB: n, columnB: 1, offsets });
    }
    const shape = [...outer, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])];
    return [tensorOf(a.dtype, shape, out)];
  },

  /** alpha op(a) op(b) + beta c. @see https://onnx.ai/onnx/operators/onnx__Gemm.html */
  Gemm: ({ attributes }) => {
    const [transA, transB] = [attributes.int("transA") === 1, attributes.int("transB") === 1];
    const [alpha, beta] = [attributes.float("alpha"), attributes.float("beta")];
    return (inputs) => {
      const [a, b, c] = [required(inputs, 0), required(inputs, 1), inputs[2]];
      const [rowsA, columnsA] = a.shape as [number, number]; // matrices by the shape rule
      const [rowsB, columnsB] = b.shape as [number, number];
      const [m, k] = transA ? [columnsA, rowsA] : [rowsA, columnsA];
      const n = transB ? rowsB : columnsB;
      const out = memoryFor(a.dtype, m * n);
      multiply({
        a: numbersOf(a),
        b: numbersOf(b),
        out,
        m,
        k,
        n,
        rowA: transA ? 1 : k,
        columnA: transA ? m : 1,
        rowB: transB ? 1 : n,
        columnB: transB ? k : 1,
        offsets: { a: 0, b: 0, out: 0 },
        alpha,
        ...(c !== undefined && { beta, c: numbersOf(broadcastTo(c, [m, n])) }),
      });
      return [tensorOf(a.dtype, [m, n], out)];
    };
  },
};

/** One product: a [m, k] and b [k, n] read by the steps between rows and between columns. */
interface Product {
  readonly a: Numbers;
  readonly b: Numbers;
  readonly out: Numbers;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly rowA: number;
  readonly columnA: number;
  readonly rowB: number;
  readonly columnB: number;
  readonly offsets: { readonly a: number; readonly b: number; readonly out: number };
  readonly alpha?: number;
  readonly beta?: number;
  /** [m, n], added times beta. */
  readonly c?: Numbers;
}

function multiply(product: Product): void {
  const { out, m, n, offsets, alpha = 1, beta = 1, c } = product;
  const row = new Float64Array(n);
  for (let i = 0; i < m; i += 1) {
    // Whichever runs along b's memory.
    if (product.columnB === 1) addRows(product, i, row);
    else dotColumns(product, i, row);
    const start = offsets.out + i * n;
    if (c === undefined) for (let j = 0; j < n; j += 1) out[start + j] = alpha * row[j]!;
    else for (let j = 0; j < n; j += 1) out[start + j] = alpha * row[j]! + beta * c[i * n + j]!;
  }
}

function addRows({ a, b, k, n, rowA, columnA, rowB, offsets }: Product, i: number, row: Float64Array): void {
  row.fill(0);
  for (let p = 0; p < k; p += 1) {
    const factor = a[offsets.a + i * rowA + p * columnA]!;
    const start = offsets.b + p * rowB;
    for (let j = 0; j < n; j += 1) row[j] = row[j]! + factor * b[start + j]!;
  }
}

function dotColumns({ a, b, k, n, rowA, columnA, rowB, columnB, offsets }: Product, i: number, row: Float64Array): void {
  for (let j = 0; j < n; j += 1) {
    let sum = 0;
    for (let p = 0; p < k; p += 1) sum += a[offsets.a + i * rowA + p * columnA]! * b[offsets.b + p * rowB + j * columnB]!;
    row[j] = sum;
  }
}
