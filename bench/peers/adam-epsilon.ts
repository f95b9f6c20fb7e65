/** ONNX adds Adam's epsilon before the correction of the bias, the peers after it: small enough to make no difference between them. */
export const adamEpsilon = 1e-10;
