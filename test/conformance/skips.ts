import type { Skips } from "./case.ts";

/** Trigonometry on a GPU through tfjs. */
const shaderTrigonometry: Skips = Object.fromEntries(
  [
    "Acos: within 1",
    "Acos: within 1, gradients",
    "Cos: [batch, 3, 5]",
    "Cos: [batch, 3, 5], gradients",
    "Cos: large angles",
    "Cos: large angles, gradients",
    "Sin: [batch, 3, 5]",
    "Sin: [batch, 3, 5], gradients",
    "Sin: large angles",
    "Sin: large angles, gradients",
    "Tan: within a right angle",
    "Tan: within a right angle, gradients",
  ].map((name) => [name, "sines and cosines of shaders may be wrong by 2^-11 (WGSL, section 15.7.4), and tfjs takes them as they are: 2e-4 here"]),
);

/** What each backend is known not to pass, by the driver's name; a reason is about the system underneath, and docs/backends.md prints it. */
export const skips: Readonly<Record<string, Skips>> = {
  onnxruntime: {
    "Sigmoid: large numbers, gradients": "its float32 Sigmoid is exactly 1 from 18 on: the gradient is 0 instead of 5e-9",
    "Tanh: large numbers, gradients": "its float32 Tanh is exactly 1 from 9 on: the gradient is 0 instead of 2e-7",
  },
  "tfjs-webgl": {
    ...shaderTrigonometry,
    "Tanh: large numbers, gradients": "its float32 Tanh is exactly 1 from 9 on: the gradient is 0 instead of 2e-7",
  },
  "tfjs-webgpu": {
    ...shaderTrigonometry,
    "Tanh: large numbers, gradients": "its float32 Tanh is exactly 1 from 9 on: the gradient is 0 instead of 2e-7",
  },
};
