import { findOperator, readAttributes, type ValueName } from "../../../core/index.ts";
import type { NormalizationOptions } from "../kernels/batch-normalization.ts";
import { boundsOf } from "./activation-bounds.ts";
import type { FusionContext } from "./fusion.ts";

/** A value that was normalised by its batch's own statistics and activated. */
export interface NormalizedInput {
  /** What was normalised. */
  readonly x: ValueName;
  /** scale, B, mean and variance */
  readonly statistics: readonly ValueName[];
  readonly options: NormalizationOptions;
}

/** The parts of Relu or Clip of BatchNormalization by what BatchMoments gave, or undefined. */
export function normalizedInput(value: ValueName | undefined, context: FusionContext): NormalizedInput | undefined {
  const activation = context.producer(value);
  const bounds = boundsOf(activation, context);
  const normalization = bounds && context.producer(activation?.inputs[0], "BatchNormalization");
  const operator = findOperator("BatchNormalization");
  if (normalization === undefined || operator === undefined) return undefined;
  const [x = "", scale = "", bias = "", mean = "", variance = ""] = normalization.inputs;
  const attributes = readAttributes(operator, normalization.name, normalization.attributes);
  if (attributes.int("training_mode") === 1 || context.producer(mean, "BatchMoments") === undefined) return undefined;
  return { x, statistics: [scale, bias, mean, variance], options: { epsilon: attributes.float("epsilon"), ...(bounds && { bounds }) } };
}
