import { elementCount } from "../../../core/index.ts";
import type { Kernel, KernelContext } from "../kernel.ts";
import { broadcastStrides, literal, stridedIndex, type Shader } from "../wgsl.ts";
import { writeProduct, type Product } from "./product.ts";

/** Matrix products. */
export const matmulKernels: Readonly<Record<string, Kernel>> = { MatMul: matMul, Gemm: gemm };

interface Matrices {
  readonly batches: readonly number[];
  /** Where the matrix of batch `z` starts (WGSL), and the steps to the next row and column. */
  readonly start: string;
  readonly rowStep: number;
  readonly columnStep: number;
}

/** @see https://onnx.ai/onnx/operators/onnx__MatMul.html */
function matMul(context: KernelContext): void {
  const [a, b] = [context.input(0).shape, context.input(1).shape];
  const matrixA = a.length === 1 ? [1, ...a] : a;
  const matrixB = b.length === 1 ? [...b, 1] : b;
  const [m = 1, k = 1] = matrixA.slice(-2);
  const [, n = 1] = matrixB.slice(-2);
  const output = context.output(0).shape;
  const batches = output.slice(0, output.length - (a.length > 1 ? 1 : 0) - (b.length > 1 ? 1 : 0));
  const left = matrices(matrixA, batches);
  const right = matrices(matrixB, batches);
  writeProduct(context, plainProduct(context, { m, n, k, left, right, batches: elementCount(batches) }));
}

/** @see https://onnx.ai/onnx/operators/onnx__Gemm.html */
function gemm(context: KernelContext): void {
  const { attributes } = context;
  const [transA, transB] = [attributes.int("transA") === 1, attributes.int("transB") === 1];
  const [m = 1, n = 1] = context.output(0).shape;
  const [rowsA = 1, columnsA = 1] = context.input(0).shape;
  const [, columnsB = 1] = context.input(1).shape;
  const oriented = (columns: number, transposed: boolean): Matrices => ({
    batches: [],
    start: "0u",
    rowStep: transposed ? 1 : columns,
    columnStep: transposed ? columns : 1,
  });
  const k = transA ? rowsA : columnsA;
  const product = plainProduct(context, { m, n, k, left: oriented(columnsA, transA), right: oriented(columnsB, transB), batches: 1 });
  writeProduct(context, { ...product, finish: (shader, index, sum) => scaleAndAdd(context, { shader, index, sum }) });
}

function matrices(shape: readonly number[], batches: readonly number[]): Matrices {
  const [rows = 1, columns = 1] = shape.slice(-2);
  const strides = broadcastStrides(shape.slice(0, -2), batches).map((stride) => stride * rows * columns);
  return { batches, start: stridedIndex("z", { shape: batches, strides }), rowStep: columns, columnStep: 1 };
}

interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batches: number;
  readonly left: Matrices;
  readonly right: Matrices;
}

function plainProduct(context: KernelContext, { m, n, k, batches, left, right }: Sizes): Product {
  const element = (shader: Shader, index: number, { start, rowStep, columnStep }: Matrices, [row, column]: readonly [string, string]): string =>
    `return ${shader.bind(context.input(index).storage)}[${start} + ${row} * ${rowStep}u + ${column} * ${columnStep}u];`;
  return {
    z: [{ name: "z", size: batches }],
    m: [{ name: "m", size: m }],
    n: [{ name: "n", size: n }],
    k: [{ name: "k", size: k }],
    a: (shader) => element(shader, 0, left, ["m", "k"]),
    b: (shader) => element(shader, 1, right, ["k", "n"]),
    aAlongM: left.rowStep === 1,
    bAlongK: right.rowStep === 1 && right.columnStep !== 1,
    position: `(z * ${m}u + m) * ${n}u + n`,
  };
}

function scaleAndAdd(
  context: KernelContext,
  { shader, index, sum }: { readonly shader: Shader; readonly index: string; readonly sum: string },
): string {
  const number = (name: string): string => literal(context.attributes.float(name), "f32") ?? context.fail(`attribute "${name}" must be finite`);
  const scaled = context.attributes.float("alpha") === 1 ? sum : `${number("alpha")} * ${sum}`;
  const bias = context.optional(2);
  if (bias === undefined) return scaled;
  const shape = context.output(0).shape;
  const element = `${shader.bind(bias.storage)}[${stridedIndex(index, { shape, strides: broadcastStrides(bias.shape, shape) })}]`;
  return context.attributes.float("beta") === 1 ? `${scaled} + ${element}` : `${scaled} + ${number("beta")} * ${element}`;
}
