import {
  memoryFor,
  numbersOf,
  required,
  scalarOf,
  tensorOf,
  type Kernel,
  type KernelContext,
  type KernelFactory,
  type NumericTensor,
} from "../kernel.ts";

/** Optimizers: one node updates every tensor. Inputs R, T, then X1.. G1.. V1.. (H1..); outputs X1'.. V1'.. (H1'..). */
export const optimizerKernels: Readonly<Record<string, KernelFactory>> = { Adam: adamFactory, Momentum: momentumFactory };

/** @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Adam.html */
function adamFactory({ attributes }: KernelContext): Kernel {
  const [alpha, beta, epsilon] = [attributes.float("alpha"), attributes.float("beta"), attributes.float("epsilon")];
  const [decay, decayAfter] = [attributes.float("norm_coefficient"), attributes.float("norm_coefficient_post")];
  return (inputs) => {
    const step = scalarOf(required(inputs, 1));
    const rate = scalarOf(required(inputs, 0)) * (step > 0 ? Math.sqrt(1 - beta ** step) / (1 - alpha ** step) : 1);
    const count = (inputs.length - 2) / 4;
    const results = Array.from({ length: count }, (_, i) => {
      const [x, g, v, h] = [0, 1, 2, 3].map((part) => required(inputs, 2 + part * count + i)) as [
        NumericTensor,
        NumericTensor,
        NumericTensor,
        NumericTensor,
      ];
      const [weights, gradients, means, squares] = [numbersOf(x), numbersOf(g), numbersOf(v), numbersOf(h)];
      const [newX, newV, newH] = [memoryFor(x.dtype, weights.length), memoryFor(x.dtype, weights.length), memoryFor(x.dtype, weights.length)];
      for (let j = 0; j < weights.length; j += 1) {
        const gradient = decay * weights[j]! + gradients[j]!;
        const mean = alpha * means[j]! + (1 - alpha) * gradient;
        const square = beta * squares[j]! + (1 - beta) * gradient * gradient;
        newV[j] = mean;
        newH[j] = square;
        newX[j] = (1 - decayAfter) * (weights[j]! - (rate * mean) / (Math.sqrt(square) + epsilon));
      }
      return [tensorOf(x.dtype, x.shape, newX), tensorOf(x.dtype, x.shape, newV), tensorOf(x.dtype, x.shape, newH)] as const;
    });
    return [...results.map(([x]) => x), ...results.map(([, v]) => v), ...results.map(([, , h]) => h)];
  };
}

/** @see https://onnx.ai/onnx/operators/onnx_aionnxpreviewtraining_Momentum.html */
function momentumFactory({ attributes }: KernelContext): Kernel {
  const [alpha, beta, decay] = [attributes.float("alpha"), attributes.float("beta"), attributes.float("norm_coefficient")];
  const nesterov = attributes.string("mode") === "nesterov";
  return (inputs) => {
    const rate = scalarOf(required(inputs, 0));
    const share = scalarOf(required(inputs, 1)) > 0 ? beta : 1;
    const count = (inputs.length - 2) / 3;
    const results = Array.from({ length: count }, (_, i) => {
      const [x, g, v] = [0, 1, 2].map((part) => required(inputs, 2 + part * count + i)) as [NumericTensor, NumericTensor, NumericTensor];
      const [weights, gradients, momenta] = [numbersOf(x), numbersOf(g), numbersOf(v)];
      const [newX, newV] = [memoryFor(x.dtype, weights.length), memoryFor(x.dtype, weights.length)];
      for (let j = 0; j < weights.length; j += 1) {
        const gradient = decay * weights[j]! + gradients[j]!;
        const momentum = alpha * momenta[j]! + share * gradient;
        newV[j] = momentum;
        newX[j] = weights[j]! - rate * (nesterov ? gradient + alpha * momentum : momentum);
      }
      return [tensorOf(x.dtype, x.shape, newX), tensorOf(x.dtype, x.shape, newV)] as const;
    });
    return [...results.map(([x]) => x), ...results.map(([, v]) => v)];
  };
}
