import { broadcastShape, broadcastTo } from "../indices.ts";
import { memoryFor, numbersOf, required, scalarOf, tensorOf, type KernelFactory, type NumericDType, type Numbers } from "../kernel.ts";

/** Operators that choose, keep or convert elements. */
export const selectionKernels: Readonly<Record<string, KernelFactory>> = {
  Cast: castFactory,
  Clip: () => (inputs) => {
    const x = required(inputs, 0);
    const low = inputs[1] === undefined ? -Infinity : scalarOf(inputs[1]);
    const high = inputs[2] === undefined ? Infinity : scalarOf(inputs[2]);
    const source = numbersOf(x);
    const out = memoryFor(x.dtype, source.length);
    // The upper end wins when the ends are crossed, as the specification says.
    for (let i = 0; i < source.length; i += 1) out[i] = Math.min(Math.max(source[i]!, low), high);
    return [tensorOf(x.dtype, x.shape, out)];
  },
  // What a training step does with it is written in other operators: this is the prediction's form.
  Dropout:
    ({ outputTypes }) =>
    (inputs) => {
      const x = required(inputs, 0);
      const kept = memoryFor("bool", numbersOf(x).length).fill(1);
      return [x, tensorOf("bool", x.shape, kept)].slice(0, outputTypes.length);
    },
  Where: () => (inputs) => {
    const [condition, a, b] = [required(inputs, 0), required(inputs, 1), required(inputs, 2)];
    const shape = broadcastShape([condition.shape, a.shape, b.shape]);
    const chooses = numbersOf(broadcastTo(condition, shape));
    const ifTrue = numbersOf(broadcastTo(a, shape));
    const ifFalse = numbersOf(broadcastTo(b, shape));
    const out = memoryFor(a.dtype, chooses.length);
    for (let i = 0; i < out.length; i += 1) out[i] = chooses[i] === 0 ? ifFalse[i]! : ifTrue[i]!;
    return [tensorOf(a.dtype, shape, out)];
  },
};

/** @see https://onnx.ai/onnx/operators/onnx__Cast.html */
function castFactory({ outputTypes }: Parameters<KernelFactory>[0]): ReturnType<KernelFactory> {
  const to = (outputTypes[0]?.dtype ?? "float32") as NumericDType; // strings are refused at compile time
  return (inputs) => {
    const x = required(inputs, 0);
    if (x.dtype === to) return [x];
    return [tensorOf(to, x.shape, to === "bool" ? truths(numbersOf(x)) : numbersOf(x))];
  };
}

/** Everything but 0 is true; NaN as well. */
function truths(x: Numbers): Uint8Array {
  return Uint8Array.from(x, (value) => (value === 0 ? 0 : 1));
}
