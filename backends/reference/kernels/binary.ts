import { power } from "../../../core/index.ts";
import { broadcastShape, broadcastTo } from "../indices.ts";
import { memoryFor, numbersOf, required, tensorOf, type KernelContext, type KernelFactory, type NumericDType, type Numbers } from "../kernel.ts";

/** Writes f(a, b) into `out`, element by element; all three have the same length. */
type Loop = (a: Numbers, b: Numbers, out: Numbers, context: BinaryContext) => void;

interface BinaryContext extends KernelContext {
  readonly dtype: NumericDType;
}

/** Operators of two inputs under broadcasting. @see https://onnx.ai/onnx/repo-docs/Broadcasting.html */
export const binaryKernels: Readonly<Record<string, KernelFactory>> = {
  Add: binary(addUp),
  Sub: binary((a, b, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = a[i]! - b[i]!;
  }),
  Mul: binary((a, b, out, { dtype }) => {
    // A product of two int32 may need 62 bits; the low 32 are the result.
    if (dtype === "int32") for (let i = 0; i < out.length; i += 1) out[i] = Math.imul(a[i]!, b[i]!);
    else for (let i = 0; i < out.length; i += 1) out[i] = a[i]! * b[i]!;
  }),
  Div: binary((a, b, out, { dtype, fail }) => {
    if (dtype === "float32" || dtype === "float64") {
      for (let i = 0; i < out.length; i += 1) out[i] = a[i]! / b[i]!;
      return;
    }
    for (let i = 0; i < out.length; i += 1) {
      if (b[i] === 0) fail(`${dtype} ${a[i]} / 0 at element ${i}`);
      out[i] = Math.trunc(a[i]! / b[i]!);
    }
  }),
  Pow: binary((a, b, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = power(a[i]!, b[i]!);
  }),
  Equal: comparison((a, b, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = a[i] === b[i] ? 1 : 0;
  }),
  Less: comparison((a, b, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = a[i]! < b[i]! ? 1 : 0;
  }),
  LessOrEqual: comparison((a, b, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = a[i]! <= b[i]! ? 1 : 0;
  }),
  Greater: comparison((a, b, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = a[i]! > b[i]! ? 1 : 0;
  }),
  GreaterOrEqual: comparison((a, b, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = a[i]! >= b[i]! ? 1 : 0;
  }),
  And: comparison((a, b, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = a[i] !== 0 && b[i] !== 0 ? 1 : 0;
  }),
  Or: comparison((a, b, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = a[i] !== 0 || b[i] !== 0 ? 1 : 0;
  }),
  Xor: comparison((a, b, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = (a[i] !== 0) === (b[i] !== 0) ? 0 : 1;
  }),
  /** @see https://onnx.ai/onnx/operators/onnx__Mod.html */
  Mod: binary((a, b, out, { dtype, attributes, fail }) => {
    const ofDividend = attributes.int("fmod") === 1;
    const isFloat = dtype === "float32" || dtype === "float64";
    for (let i = 0; i < out.length; i += 1) {
      if (b[i] === 0 && !isFloat) fail(`${dtype} ${a[i]} % 0 at element ${i}`);
      const rest = a[i]! % b[i]!;
      out[i] = ofDividend || rest === 0 || rest < 0 === b[i]! < 0 ? rest : rest + b[i]!;
    }
  }),
  PRelu: binary((x, slope, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = x[i]! < 0 ? x[i]! * slope[i]! : x[i]!;
  }),
  Max: variadic((a, b, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = Math.max(a[i]!, b[i]!);
  }),
  Min: variadic((a, b, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = Math.min(a[i]!, b[i]!);
  }),
  Sum: variadic(addUp),
  Mean: (context) => {
    const sum = variadic(addUp)(context);
    return (inputs) => {
      const total = required(sum(inputs), 0);
      const out = memoryFor(total.dtype, total.data.length);
      numbersOf(total).forEach((value, i) => (out[i] = value / inputs.length));
      return [tensorOf(total.dtype, total.shape, out)];
    };
  },
};

function addUp(a: Numbers, b: Numbers, out: Numbers): void {
  for (let i = 0; i < out.length; i += 1) out[i] = a[i]! + b[i]!;
}

/** The result has the first input's dtype. */
function binary(loop: Loop): KernelFactory {
  return withResult(loop, (dtype) => dtype);
}

/** The result is bool. */
function comparison(loop: Loop): KernelFactory {
  return withResult(loop, () => "bool");
}

function withResult(loop: Loop, resultOf: (dtype: NumericDType) => NumericDType): KernelFactory {
  return (context) => (inputs) => {
    const a = required(inputs, 0);
    const b = required(inputs, 1);
    const shape = broadcastShape([a.shape, b.shape]);
    const wideA = numbersOf(broadcastTo(a, shape));
    const out = memoryFor(resultOf(a.dtype), wideA.length);
    loop(wideA, numbersOf(broadcastTo(b, shape)), out, { ...context, dtype: a.dtype });
    return [tensorOf(resultOf(a.dtype), shape, out)];
  };
}

/** One input or more, taken two at a time. */
function variadic(loop: Loop): KernelFactory {
  const pair = binary(loop);
  return (context) => {
    const kernel = pair(context);
    return (inputs) => [inputs.slice(1).reduce((result, input) => required(kernel([result, input]), 0), required(inputs, 0)) ?? required(inputs, 0)];
  };
}
