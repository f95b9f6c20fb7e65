import { activation, softmax } from "../activation.ts";
import { activityRegularization } from "../activity-regularization.ts";
import { batchNormalization } from "../batch-normalization.ts";
import { bidirectional, type BidirectionalOptions } from "../bidirectional.ts";
import { conv1D, conv2D, conv3D } from "../conv.ts";
import { conv1DTranspose, conv2DTranspose, conv3DTranspose } from "../conv-transpose.ts";
import { dense } from "../dense.ts";
import { depthwiseConv1D, depthwiseConv2D, separableConv1D, separableConv2D } from "../depthwise-conv.ts";
import { dot } from "../dot.ts";
import { dropout } from "../dropout.ts";
import { cropping1D, cropping2D, cropping3D, zeroPadding1D, zeroPadding2D, zeroPadding3D } from "../edges.ts";
import { embedding } from "../embedding.ts";
import {
  globalAveragePooling1D,
  globalAveragePooling2D,
  globalAveragePooling3D,
  globalMaxPooling1D,
  globalMaxPooling2D,
  globalMaxPooling3D,
} from "../global-pooling.ts";
import type { Layer, LayerOutput } from "../layer.ts";
import { add, average, concatenate, maximum, minimum, multiply, subtract } from "../merging.ts";
import { groupedQueryAttention, multiHeadAttention } from "../multi-head-attention.ts";
import { alphaDropout, dropPath, gaussianDropout, gaussianNoise, spatialDropout1D, spatialDropout2D, spatialDropout3D } from "../noise.ts";
import { groupNormalization, layerNormalization, rmsNormalization, unitNormalization } from "../normalizations.ts";
import { averagePooling1D, averagePooling2D, averagePooling3D, maxPooling1D, maxPooling2D, maxPooling3D } from "../pooling.ts";
import { positionEmbedding, sinePositionEncoding, tokenAndPositionEmbedding } from "../positions.ts";
import { elu, leakyReLU, prelu, reLU } from "../rectifiers.ts";
import { discretization, masking, normalization, rescaling } from "../preprocessing.ts";
import { gru, lstm, simpleRNN } from "../recurrent.ts";
import { flatten, identity, permute, repeatVector, reshape } from "../reshaping.ts";
import { rotaryEmbedding } from "../rotary.ts";
import { timeDistributed } from "../time-distributed.ts";
import { upSampling1D, upSampling2D, upSampling3D } from "../up-sampling.ts";
import type { JsonObject } from "./json.ts";

/** A layer class of Keras: how it is made here, and how its calls are written. */
export interface KerasClass {
  /** @param config its arguments, in camel case */
  readonly create: (config: JsonObject) => Layer<LayerOutput>;
  /** The module that has it. Default "keras.layers". */
  readonly module?: string;
  /** Whether a call takes its inputs one by one, query and value at least, and not as a list. */
  readonly attends?: boolean;
  /** Whether further inputs of a call are first states. */
  readonly recurs?: boolean;
  /** Arguments here that are arguments of the call in Keras. */
  readonly ofCall?: readonly string[];
  /** What arguments that are left out are in Keras where that is another value than here. */
  readonly standards?: JsonObject;
  /** Arguments that are not here, with the only value that changes nothing. */
  readonly accepts?: JsonObject;
  /** What null says in Keras where that is another value than nothing given. */
  readonly nulls?: JsonObject;
  /** Where Keras knows one data format only: the value of the argument here. */
  readonly only?: JsonObject;
}

/** Every layer that goes from and to Keras's configuration, by Keras's class name. */
export const kerasClasses: Readonly<Record<string, KerasClass>> = {
  Activation: of(activation),
  ActivityRegularization: of(activityRegularization),
  Add: of(add),
  AlphaDropout: of(alphaDropout),
  Average: of(average),
  AveragePooling1D: of(averagePooling1D),
  AveragePooling2D: of(averagePooling2D),
  AveragePooling3D: of(averagePooling3D),
  BatchNormalization: { ...of(batchNormalization), standards: { axis: -1 } },
  Bidirectional: { ...of((options: BidirectionalOptions) => bidirectional(options)), recurs: true, nulls: { mergeMode: "none" } },
  Concatenate: { ...of(concatenate), standards: { axis: -1 } },
  Conv1D: of(conv1D),
  Conv1DTranspose: of(conv1DTranspose),
  Conv2D: of(conv2D),
  Conv2DTranspose: of(conv2DTranspose),
  Conv3D: of(conv3D),
  Conv3DTranspose: of(conv3DTranspose),
  Cropping1D: { ...of(cropping1D), only: { dataFormat: "channels_last" } },
  Cropping2D: of(cropping2D),
  Cropping3D: of(cropping3D),
  Dense: of(dense),
  DepthwiseConv1D: of(depthwiseConv1D),
  DepthwiseConv2D: of(depthwiseConv2D),
  Discretization: { ...of(discretization), accepts: { epsilon: 0.01, outputMode: "int" } },
  Dot: of(dot),
  DropPath: { ...of(dropPath), module: "keras_cv.layers" },
  Dropout: of(dropout),
  ELU: of(elu),
  Embedding: of(embedding),
  Flatten: of(flatten),
  GRU: { ...of(gru), recurs: true },
  GaussianDropout: of(gaussianDropout),
  GaussianNoise: of(gaussianNoise),
  GlobalAveragePooling1D: of(globalAveragePooling1D),
  GlobalAveragePooling2D: of(globalAveragePooling2D),
  GlobalAveragePooling3D: of(globalAveragePooling3D),
  GlobalMaxPooling1D: of(globalMaxPooling1D),
  GlobalMaxPooling2D: of(globalMaxPooling2D),
  GlobalMaxPooling3D: of(globalMaxPooling3D),
  GroupNormalization: { ...of(groupNormalization), standards: { axis: -1 } },
  GroupQueryAttention: { ...of(groupedQueryAttention), attends: true, ofCall: ["useCausalMask"] },
  Identity: of(identity),
  LSTM: { ...of(lstm), recurs: true },
  LayerNormalization: of(layerNormalization),
  LeakyReLU: of(leakyReLU),
  Masking: of(masking),
  MaxPooling1D: of(maxPooling1D),
  MaxPooling2D: of(maxPooling2D),
  MaxPooling3D: of(maxPooling3D),
  Maximum: of(maximum),
  Minimum: of(minimum),
  MultiHeadAttention: {
    create: ({ outputShape, ...config }) =>
      of(multiHeadAttention).create({ ...config, outputShape: Array.isArray(outputShape) ? outputShape[0] : outputShape }),
    attends: true,
    ofCall: ["useCausalMask"],
    accepts: { attentionAxes: [1] },
  },
  Multiply: of(multiply),
  Normalization: {
    create: ({ axis, ...config }) => of(normalization).create({ ...config, axis: Array.isArray(axis) && axis.length === 1 ? axis[0] : axis }),
  },
  PReLU: of(prelu),
  Permute: of(permute),
  PositionEmbedding: { ...of(positionEmbedding), module: "keras_hub.layers" },
  RMSNormalization: of(rmsNormalization),
  ReLU: of(reLU),
  RepeatVector: of(repeatVector),
  Rescaling: of(rescaling),
  Reshape: of(reshape),
  RotaryEmbedding: { ...of(rotaryEmbedding), module: "keras_hub.layers", accepts: { sequenceAxis: 1, featureAxis: -1 } },
  SeparableConv1D: of(separableConv1D),
  SeparableConv2D: of(separableConv2D),
  SimpleRNN: { ...of(simpleRNN), recurs: true },
  SinePositionEncoding: { ...of(sinePositionEncoding), module: "keras_hub.layers" },
  Softmax: of(softmax),
  SpatialDropout1D: { ...of(spatialDropout1D), only: { dataFormat: "channels_last" } },
  SpatialDropout2D: of(spatialDropout2D),
  SpatialDropout3D: of(spatialDropout3D),
  Subtract: of(subtract),
  TimeDistributed: of(timeDistributed),
  TokenAndPositionEmbedding: { ...of(tokenAndPositionEmbedding), module: "keras_hub.layers" },
  UnitNormalization: of(unitNormalization),
  UpSampling1D: { ...of(upSampling1D), only: { dataFormat: "channels_last" } },
  UpSampling2D: of(upSampling2D),
  UpSampling3D: of(upSampling3D),
  ZeroPadding1D: of(zeroPadding1D),
  ZeroPadding2D: of(zeroPadding2D),
  ZeroPadding3D: of(zeroPadding3D),
};

/** @param create a layer's function: it checks its arguments itself, whatever is given */
function of(create: (options: never) => Layer<LayerOutput>): KerasClass {
  return { create: (config) => create(config as never) }; // unknown to the compiler, as everything from a file
}
