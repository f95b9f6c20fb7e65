export { type Loss } from "./loss.ts";
export { meanSquaredError } from "./mean-squared-error.ts";
export { softmaxCrossEntropy, type SoftmaxCrossEntropyOptions } from "./softmax-cross-entropy.ts";
