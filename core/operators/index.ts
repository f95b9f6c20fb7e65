import { elu, gelu, leakyRelu, relu, sigmoid, softplus, tanh } from "./activations.ts";
import { activityRegularization } from "./activity-regularization.ts";
import { adadelta } from "./adadelta.ts";
import { adagrad } from "./adagrad.ts";
import { adamW } from "./adam-w.ts";
import { adam } from "./adam.ts";
import { adamax } from "./adamax.ts";
import { abs, add, div, mul, neg, reciprocal, sign, sub } from "./arithmetic.ts";
import { attention } from "./attention.ts";
import { averagePool, averagePoolGrad, globalAveragePool } from "./average-pool.ts";
import { batchMoments, batchNormalization, batchNormalizationGrad } from "./batch-normalization.ts";
import { cast } from "./cast.ts";
import { and, equal, greater, greaterOrEqual, less, lessOrEqual, not, or, xor } from "./comparison.ts";
import { concat, split } from "./concat.ts";
import { convInputGrad, convWeightGrad } from "./conv-gradients.ts";
import { convTranspose } from "./conv-transpose.ts";
import { conv } from "./conv.ts";
import { negativeLogLikelihoodLoss, softmaxCrossEntropyLoss, softmaxCrossEntropyLossGrad } from "./cross-entropy.ts";
import { dropout } from "./dropout.ts";
import { expand } from "./expand.ts";
import { clip, max, min } from "./extremes.ts";
import { ftrl } from "./ftrl.ts";
import { gather, gatherGrad } from "./gather.ts";
import { groupNormalization } from "./group-normalization.ts";
import { dropoutGru, gru } from "./gru.ts";
import { identity } from "./identity.ts";
import { instanceNormalization, meanVarianceNormalization } from "./instance-normalization.ts";
import { layerNormalization, layerNormalizationGrad } from "./layer-normalization.ts";
import { lion } from "./lion.ts";
import { globalLpPool, lpPool } from "./lp-pool.ts";
import { lrn } from "./lrn.ts";
import { dropoutLstm, lstm } from "./lstm.ts";
import { gemm, matMul } from "./matmul.ts";
import { globalMaxPool, maxPool, maxPoolGrad } from "./max-pool.ts";
import { momentum } from "./momentum.ts";
import { movingAverage } from "./moving-average.ts";
import { nadam } from "./nadam.ts";
import { alphaDropout, dropPath, gaussianDropout, gaussianNoise, spatialDropout } from "./noise.ts";
import { pad } from "./pad.ts";
import { erf, exp, log, pow, sqrt } from "./powers.ts";
import { argMax, argMin, reduceMax, reduceMean, reduceMin, reduceSum } from "./reductions.ts";
import { flatten, reshape, squeeze, unsqueeze } from "./reshape.ts";
import { rmsNormalization } from "./rms-normalization.ts";
import { rmsProp } from "./rms-prop.ts";
import { dropoutRnn, rnn } from "./rnn.ts";
import { rotaryEmbedding } from "./rotary-embedding.ts";
import { scatterNd } from "./scatter-nd.ts";
import { shape, size } from "./shape.ts";
import { slice } from "./slice.ts";
import { logSoftmax, softmax } from "./softmax.ts";
import { transpose } from "./transpose.ts";
import { where } from "./where.ts";
import { sin, cos, tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh } from "./trigonometry.ts";
import { floor, ceil, round } from "./rounding.ts";
import { isInf, isNaN } from "./float-classes.ts";
import { mean, sum } from "./sum-mean.ts";
import { mod } from "./mod.ts";
import { hardSigmoid, hardSwish, hardmax, shrink, thresholdedRelu } from "./hard-activations.ts";
import { celu, mish, pRelu, selu, softsign } from "./smooth-activations.ts";
import { lpNormalization, reduceL1, reduceL2, reduceLogSum, reduceLogSumExp, reduceSumSquare } from "./reduced-norms.ts";
import { reduceProd } from "./reduce-prod.ts";
import { cumSum } from "./cum-sum.ts";
import { gatherElements } from "./gather-elements.ts";
import { gatherNd, gatherNdGrad } from "./gather-nd.ts";
import { scatterElements } from "./scatter-elements.ts";
import { tile } from "./tile.ts";
import { oneHot } from "./one-hot.ts";
import { topK } from "./top-k.ts";
import { rangeOperator } from "./range.ts";
import { eyeLike } from "./eye-like.ts";
import { trilu } from "./trilu.ts";
import { depthToSpace, spaceToDepth } from "./depth-to-space.ts";
import { reverseSequence } from "./reverse-sequence.ts";
import { resize } from "./resize.ts";
import { einsum } from "./einsum.ts";
import type { Operator } from "./operator.ts";

/** Every operator that a graph may hold. Adding one is one file and one line here. */
export const operators: readonly Operator[] = [
  elu,
  gelu,
  leakyRelu,
  relu,
  sigmoid,
  softplus,
  tanh,
  adadelta,
  adagrad,
  adam,
  adamW,
  adamax,
  abs,
  add,
  div,
  mul,
  neg,
  reciprocal,
  sign,
  sub,
  attention,
  averagePool,
  averagePoolGrad,
  globalAveragePool,
  batchNormalization,
  batchMoments,
  batchNormalizationGrad,
  cast,
  and,
  equal,
  greater,
  greaterOrEqual,
  less,
  lessOrEqual,
  not,
  or,
  xor,
  concat,
  split,
  conv,
  convInputGrad,
  convWeightGrad,
  convTranspose,
  negativeLogLikelihoodLoss,
  softmaxCrossEntropyLoss,
  softmaxCrossEntropyLossGrad,
  dropout,
  expand,
  clip,
  max,
  min,
  ftrl,
  gather,
  gatherGrad,
  groupNormalization,
  gru,
  dropoutGru,
  identity,
  instanceNormalization,
  meanVarianceNormalization,
  layerNormalization,
  layerNormalizationGrad,
  lrn,
  lion,
  lstm,
  dropoutLstm,
  gemm,
  matMul,
  globalLpPool,
  lpPool,
  globalMaxPool,
  maxPool,
  maxPoolGrad,
  momentum,
  alphaDropout,
  dropPath,
  gaussianDropout,
  gaussianNoise,
  spatialDropout,
  activityRegularization,
  movingAverage,
  nadam,
  pad,
  erf,
  exp,
  log,
  pow,
  sqrt,
  argMax,
  argMin,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceSum,
  rmsProp,
  flatten,
  reshape,
  squeeze,
  unsqueeze,
  rmsNormalization,
  rnn,
  dropoutRnn,
  rotaryEmbedding,
  scatterNd,
  shape,
  size,
  slice,
  logSoftmax,
  softmax,
  transpose,
  where,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  asinh,
  acosh,
  atanh,
  floor,
  ceil,
  round,
  isInf,
  isNaN,
  mean,
  sum,
  mod,
  hardSigmoid,
  hardSwish,
  hardmax,
  shrink,
  thresholdedRelu,
  celu,
  mish,
  pRelu,
  selu,
  softsign,
  lpNormalization,
  reduceL1,
  reduceL2,
  reduceLogSum,
  reduceLogSumExp,
  reduceSumSquare,
  reduceProd,
  cumSum,
  gatherElements,
  gatherNd,
  gatherNdGrad,
  scatterElements,
  tile,
  oneHot,
  topK,
  rangeOperator,
  eyeLike,
  trilu,
  depthToSpace,
  spaceToDepth,
  reverseSequence,
  resize,
  einsum,
];

const byName: ReadonlyMap<string, Operator> = new Map(operators.map((operator) => [operator.name, operator]));

/** The definition of an operator, or undefined when there is none of that name. */
export function findOperator(name: string): Operator | undefined {
  return byName.get(name);
}
