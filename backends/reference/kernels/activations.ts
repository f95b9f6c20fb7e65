import { memoryFor, numbersOf, required, tensorOf, type KernelContext, type KernelFactory, type Numbers } from "../kernel.ts";
import { unary } from "./unary.ts";

/** Activations with parameters, and tests of floats, element by element. */
export const activationKernels: Readonly<Record<string, KernelFactory>> = {
  HardSigmoid: curve(({ attributes }) => {
    const [alpha, beta] = [attributes.float("alpha"), attributes.float("beta")];
    return (x) => Math.max(0, Math.min(1, alpha * x + beta));
  }),
  HardSwish: curve(() => (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5))),
  ThresholdedRelu: curve(({ attributes }) => {
    const alpha = attributes.float("alpha");
    return (x) => (x > alpha ? x : 0);
  }),
  Shrink: curve(({ attributes }) => {
    const [bias, edge] = [attributes.float("bias"), attributes.float("lambd")];
    return (x) => (x < -edge ? x + bias : x > edge ? x - bias : 0);
  }),
  Selu: curve(({ attributes }) => {
    const [alpha, gamma] = [attributes.float("alpha"), attributes.float("gamma")];
    return (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x));
  }),
  Celu: curve(({ attributes }) => {
    const alpha = attributes.float("alpha");
    return (x) => Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha));
  }),
  Mish: curve(() => (x) => x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))))),
  Softsign: curve(() => (x) => x / (1 + Math.abs(x))),
  IsNaN: truth(() => Number.isNaN),
  IsInf: truth(({ attributes }) => {
    const [low, high] = [attributes.int("detect_negative") === 1, attributes.int("detect_positive") === 1];
    return (x) => (low && x === -Infinity) || (high && x === Infinity);
  }),
};

function curve(prepare: (context: KernelContext) => (x: number) => number): KernelFactory {
  return unary((x: Numbers, out: Numbers, context) => {
    const compute = prepare(context);
    for (let i = 0; i < x.length; i += 1) out[i] = compute(x[i]!);
  });
}

function truth(prepare: (context: KernelContext) => (x: number) => boolean): KernelFactory {
  return (context) => {
    const holds = prepare(context);
    return (inputs) => {
      const x = required(inputs, 0);
      const out = memoryFor("bool", x.data.length);
      numbersOf(x).forEach((value, i) => (out[i] = Number(holds(value))));
      return [tensorOf("bool", x.shape, out)];
    };
  };
}
