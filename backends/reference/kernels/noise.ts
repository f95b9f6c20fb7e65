import { required, type KernelFactory } from "../kernel.ts";

const same: KernelFactory = () => (inputs) => [required(inputs, 0)];

/** What means something in training only: noise, in whose place a training graph holds other operators, and penalties on what passes. */
export const noiseKernels: Readonly<Record<string, KernelFactory>> = {
  ActivityRegularization: same,
  AlphaDropout: same,
  DropPath: same,
  GaussianDropout: same,
  GaussianNoise: same,
  SpatialDropout: same,
};
