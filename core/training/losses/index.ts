export {
  binaryCrossentropy,
  binaryFocalCrossentropy,
  type BinaryCrossentropyOptions,
  type BinaryFocalCrossentropyOptions,
} from "./binary-crossentropy.ts";
export {
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  type CategoricalCrossentropyOptions,
  type CategoricalFocalCrossentropyOptions,
} from "./categorical-crossentropy.ts";
export { contrastive } from "./contrastive.ts";
export { cosineSimilarity } from "./cosine-similarity.ts";
export { createLoss, type CountedLosses, type LossDefinition, type LossOptions } from "./create-loss.ts";
export { ctc, type CtcOptions } from "./ctc.ts";
export { gaussianKlDivergence } from "./gaussian-kl-divergence.ts";
export { categoricalHinge, hinge, squaredHinge } from "./hinge.ts";
export { inBatchSoftmax } from "./in-batch-softmax.ts";
export { klDivergence } from "./kl-divergence.ts";
export { type Loss } from "./loss.ts";
export { dice, tversky, type OverlapOptions } from "./overlap.ts";
export {
  huber,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
  quantile,
} from "./regression.ts";
export {
  softmaxCrossEntropy,
  sparseFocalCrossentropy,
  type SoftmaxCrossEntropyOptions,
  type SparseFocalCrossentropyOptions,
} from "./softmax-cross-entropy.ts";
export { triplet, type TripletOptions } from "./triplet.ts";
export { weightedSum, type WeightedLoss } from "./weighted-sum.ts";
