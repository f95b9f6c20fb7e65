import { required, type KernelFactory } from "../kernel.ts";

const same: KernelFactory = () => (inputs) => [required(inputs, 0)];

/** What only training makes noisy; a training graph holds other operators in its place. */
export const noiseKernels: Readonly<Record<string, KernelFactory>> = {
  AlphaDropout: same,
  DropPath: same,
  GaussianDropout: same,
  GaussianNoise: same,
  SpatialDropout: same,
};
