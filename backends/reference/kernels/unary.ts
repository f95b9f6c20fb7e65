import { numbersOf, memoryFor, required, tensorOf, type KernelContext, type KernelFactory, type Numbers } from "../kernel.ts";
import { erf } from "./erf.ts";

/** Writes f(x) into `out`, element by element. */
type Loop = (x: Numbers, out: Numbers, context: KernelContext) => void;

/** Operators of one input, element by element. @see https://onnx.ai/onnx/operators/ */
export const unaryKernels: Readonly<Record<string, KernelFactory>> = {
  Abs: unary((x, out) => {
    for (let i = 0; i < x.length; i += 1) out[i] = Math.abs(x[i]!);
  }),
  Elu: unary((x, out, { attributes }) => {
    const alpha = attributes.float("alpha");
    for (let i = 0; i < x.length; i += 1) out[i] = x[i]! < 0 ? alpha * Math.expm1(x[i]!) : x[i]!;
  }),
  Erf: unary((x, out) => {
    for (let i = 0; i < x.length; i += 1) out[i] = erf(x[i]!);
  }),
  Exp: unary((x, out) => {
    for (let i = 0; i < x.length; i += 1) out[i] = Math.exp(x[i]!);
  }),
  Gelu: unary((x, out, { attributes }) => {
    const exact = attributes.string("approximate") !== "tanh";
    const scale = Math.sqrt(2 / Math.PI);
    for (let i = 0; i < x.length; i += 1) {
      const value = x[i]!;
      const share = exact ? erf(value * Math.SQRT1_2) : Math.tanh(scale * (value + 0.044715 * value * value * value));
      out[i] = 0.5 * value * (1 + share);
    }
  }),
  LeakyRelu: unary((x, out, { attributes }) => {
    const alpha = attributes.float("alpha");
    for (let i = 0; i < x.length; i += 1) out[i] = x[i]! < 0 ? alpha * x[i]! : x[i]!;
  }),
  Log: unary((x, out) => {
    for (let i = 0; i < x.length; i += 1) out[i] = Math.log(x[i]!);
  }),
  Neg: unary((x, out) => {
    for (let i = 0; i < x.length; i += 1) out[i] = -x[i]!;
  }),
  Not: unary((x, out) => {
    for (let i = 0; i < x.length; i += 1) out[i] = x[i] === 0 ? 1 : 0;
  }),
  Reciprocal: unary((x, out) => {
    for (let i = 0; i < x.length; i += 1) out[i] = 1 / x[i]!;
  }),
  // Written so that NaN stays NaN.
  Relu: unary((x, out) => {
    for (let i = 0; i < x.length; i += 1) out[i] = x[i]! < 0 ? 0 : x[i]!;
  }),
  Sigmoid: unary((x, out) => {
    for (let i = 0; i < x.length; i += 1) out[i] = 1 / (1 + Math.exp(-x[i]!));
  }),
  Sign: unary((x, out) => {
    for (let i = 0; i < x.length; i += 1) out[i] = Math.sign(x[i]!);
  }),
  // max(x, 0) + log(1 + e^-|x|) neither overflows nor loses small results.
  Softplus: unary((x, out) => {
    for (let i = 0; i < x.length; i += 1) out[i] = Math.max(x[i]!, 0) + Math.log1p(Math.exp(-Math.abs(x[i]!)));
  }),
  Sqrt: unary((x, out) => {
    for (let i = 0; i < x.length; i += 1) out[i] = Math.sqrt(x[i]!);
  }),
  Tanh: unary((x, out) => {
    for (let i = 0; i < x.length; i += 1) out[i] = Math.tanh(x[i]!);
  }),
};

/** Runs a loop over one input, in its element type. */
export function unary(loop: Loop): KernelFactory {
  return (context) => (inputs) => {
    const x = required(inputs, 0);
    const out = memoryFor(x.dtype, x.data.length);
    loop(numbersOf(x), out, context);
    return [tensorOf(x.dtype, x.shape, out)];
  };
}
