import { EspalierError } from "../errors.ts";
import { formatShape } from "../graph/graph.ts";
import { checkNames } from "../nearest.ts";
import type { Emitter, Value } from "../operators/operator.ts";

/** What a parameter is brought back to after every step. Plain data, with Keras's argument names; `axis` is in the parameter's own layout. */
export type Constraint =
  | { readonly kind: "maxNorm"; readonly maxValue: number; readonly axis: number | readonly number[] }
  | { readonly kind: "nonNegative" }
  | { readonly kind: "unitNorm"; readonly axis: number | readonly number[] }
  | {
      readonly kind: "minMaxNorm";
      readonly minValue: number;
      readonly maxValue: number;
      /** How much of the way is gone in one step: above 0, to 1. */
      readonly rate: number;
      readonly axis: number | readonly number[];
    };

/** The axes that a norm is taken over: 0, the inputs of a dense layer's kernel [inputs, units], by default. */
interface NormOptions {
  readonly axis?: number | readonly number[];
}

/** Norms of at most `maxValue`. @throws ARGUMENT_INVALID @see https://keras.io/api/layers/constraints/#maxnorm-class */
export function maxNorm({ maxValue = 2, axis = 0, ...others }: NormOptions & { readonly maxValue?: number } = {}): Constraint {
  checkNames("maxNorm", others, ["maxValue", "axis"]);
  return checkConstraint({ kind: "maxNorm", maxValue, axis });
}

/** Negative values become 0. @see https://keras.io/api/layers/constraints/#nonneg-class */
export function nonNegative(): Constraint {
  return { kind: "nonNegative" };
}

/** Norms of 1. @throws ARGUMENT_INVALID @see https://keras.io/api/layers/constraints/#unitnorm-class */
export function unitNorm({ axis = 0, ...others }: NormOptions = {}): Constraint {
  checkNames("unitNorm", others, ["axis"]);
  return checkConstraint({ kind: "unitNorm", axis });
}

/** Norms from `minValue` to `maxValue`. @throws ARGUMENT_INVALID @see https://keras.io/api/layers/constraints/#minmaxnorm-class */
export function minMaxNorm({
  minValue = 0,
  maxValue = 1,
  rate = 1,
  axis = 0,
  ...others
}: NormOptions & { readonly minValue?: number; readonly maxValue?: number; readonly rate?: number } = {}): Constraint {
  checkNames("minMaxNorm", others, ["minValue", "maxValue", "rate", "axis"]);
  return checkConstraint({ kind: "minMaxNorm", minValue, maxValue, rate, axis });
}

/**
 * Writes the parameter as the constraint wants it.
 *
 * @param parameter float, of any shape that has the constraint's axes
 * @returns the same shape and element type
 * @throws ARGUMENT_INVALID for a number out of range; GRAPH_SHAPE for an axis that the parameter has not
 */
export function constrain(emit: Emitter, constraint: Constraint, parameter: Value): Value {
  const known = checkConstraint(constraint);
  const { dtype } = parameter;
  switch (known.kind) {
    case "nonNegative":
      return emit.op("Max", [parameter, emit.scalar(0, dtype)]);
    case "unitNorm":
      return emit.op("Div", [parameter, shifted(emit, norms(emit, parameter, known))]);
    case "maxNorm": {
      const found = norms(emit, parameter, known);
      return scaled(emit, parameter, { found, wanted: emit.op("Min", [found, emit.scalar(known.maxValue, dtype)]) });
    }
    case "minMaxNorm": {
      const found = norms(emit, parameter, known);
      const within = emit.op("Max", [emit.op("Min", [found, emit.scalar(known.maxValue, dtype)]), emit.scalar(known.minValue, dtype)]);
      const [there, here] = [emit.scalar(known.rate, dtype), emit.scalar(1 - known.rate, dtype)];
      const wanted = emit.op("Add", [emit.op("Mul", [within, there]), emit.op("Mul", [found, here])]);
      return scaled(emit, parameter, { found, wanted });
    }
    default:
      return known satisfies never;
  }
}

function norms(emit: Emitter, parameter: Value, { kind, axis }: Exclude<Constraint, { kind: "nonNegative" }>): Value {
  const rank = parameter.shape.length;
  const axes = typeof axis === "number" ? [axis] : axis;
  const outside = axes.find((one) => one < -rank || one >= rank);
  if (outside !== undefined) {
    throw new EspalierError(
      "GRAPH_SHAPE",
      `constraint "${kind}": "${parameter.name}" is ${formatShape(parameter.shape)} and has no axis ${outside}; choose from ${-rank} to ${rank - 1}`,
      { parameter: parameter.name, shape: parameter.shape, axis: outside },
    );
  }
  const squares = emit.op("Mul", [parameter, parameter]);
  return emit.op("Sqrt", [emit.op("ReduceSum", [squares, emit.ints(axes)], { keepdims: 1 })]);
}

function scaled(emit: Emitter, parameter: Value, { found, wanted }: { readonly found: Value; readonly wanted: Value }): Value {
  return emit.op("Mul", [parameter, emit.op("Div", [wanted, shifted(emit, found)])]);
}

/** Keras's epsilon keeps a norm of zero from dividing. */
function shifted(emit: Emitter, value: Value): Value {
  return emit.op("Add", [value, emit.scalar(1e-7, value.dtype)]);
}

/** The constraint, when its numbers are in range; it may have been read from a file. */
export function checkConstraint(constraint: Constraint): Constraint {
  const refuse = (message: string, details: Readonly<Record<string, unknown>>): never => {
    throw new EspalierError("ARGUMENT_INVALID", message, details);
  };
  if (typeof constraint !== "object") refuse(`a constraint must be one, such as maxNorm(), not ${JSON.stringify(constraint)}`, { constraint });
  const { kind } = constraint;
  if (!["maxNorm", "nonNegative", "unitNorm", "minMaxNorm"].includes(kind)) {
    refuse(`constraint: kind must be "maxNorm", "nonNegative", "unitNorm" or "minMaxNorm", not "${kind}"`, { kind });
  }
  if (kind === "nonNegative") return constraint;
  const { axis } = constraint;
  const axes: unknown = typeof axis === "number" ? [axis] : axis;
  if (!Array.isArray(axes) || axes.length === 0 || !axes.every(Number.isSafeInteger)) {
    refuse(`constraint "${kind}": axis must be a whole number or a list of them, not ${JSON.stringify(axis)}`, { axis });
  }
  if (kind === "unitNorm") return constraint;
  const { maxValue } = constraint;
  if (!(maxValue > 0 && Number.isFinite(maxValue))) refuse(`constraint "${kind}": maxValue must be a number above 0, not ${maxValue}`, { maxValue });
  if (kind === "maxNorm") return constraint;
  const { minValue, rate } = constraint;
  if (!(minValue >= 0 && minValue <= maxValue)) {
    refuse(`constraint "minMaxNorm": minValue must be from 0 to maxValue ${maxValue}, not ${minValue}`, { minValue, maxValue });
  }
  if (!(rate > 0 && rate <= 1)) refuse(`constraint "minMaxNorm": rate must be above 0 and at most 1, not ${rate}`, { rate });
  return constraint;
}
