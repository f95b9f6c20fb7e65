import { formula } from "../../operators/formula.ts";
import type { Emitter, Value } from "../../operators/operator.ts";
import { tensor } from "../../tensor.ts";
import { createLoss, type LossDefinition, type LossOptions } from "./create-loss.ts";
import { checkArgument, checkFinite, checkNotNegative, labelsLike, lastSize } from "./labels.ts";
import type { Loss } from "./loss.ts";

// Losses of numbers. Labels are float32 in the output's shape [batch, ...]; the output is "prediction" unless named.

/** Mean of (prediction - label)^2. @see https://keras.io/api/losses/regression_losses/#meansquarederror-class */
export function meanSquaredError(options: LossOptions = {}): Loss {
  return ofNumbers("meanSquaredError", options, (emit, output, labels) => formula(emit).square(formula(emit).sub(output, labels)));
}

/** Mean of |prediction - label|. @see https://keras.io/api/losses/regression_losses/#meanabsoluteerror-class */
export function meanAbsoluteError(options: LossOptions = {}): Loss {
  return ofNumbers("meanAbsoluteError", options, (emit, output, labels) => formula(emit).abs(formula(emit).sub(output, labels)));
}

/** Mean of 100 |prediction - label| / |label|. @see https://keras.io/api/losses/regression_losses/#meanabsolutepercentageerror-class */
export function meanAbsolutePercentageError(options: LossOptions = {}): Loss {
  return ofNumbers("meanAbsolutePercentageError", options, (emit, output, labels) => {
    const { abs, div, max, mul, sub } = formula(emit);
    return mul(abs(div(sub(output, labels), max(abs(labels), epsilon))), 100);
  });
}

/** Mean of (log(1 + prediction) - log(1 + label))^2, for sizes from 0. @see https://keras.io/api/losses/regression_losses/#meansquaredlogarithmicerror-class */
export function meanSquaredLogarithmicError(options: LossOptions = {}): Loss {
  const losses: OfValues = (emit, output, labels) => {
    const { add, log, max, square, sub } = formula(emit);
    return square(sub(log(add(max(output, epsilon), 1)), log(add(max(labels, epsilon), 1))));
  };
  return ofNumbers("meanSquaredLogarithmicError", options, losses, { check: checkNotNegative });
}

/** Half the square of an error up to `delta`, a straight line beyond. Default delta 1. @throws ARGUMENT_INVALID @see https://keras.io/api/losses/regression_losses/#huber-class */
export function huber({ delta = 1, ...options }: LossOptions & { readonly delta?: number } = {}): Loss {
  checkArgument("huber", { delta }, { fits: (value) => value > 0, range: "a number above 0" });
  const losses: OfValues = (emit, output, labels) => {
    const { abs, min, mul, sub } = formula(emit);
    const size = abs(sub(output, labels));
    const inside = min(size, delta);
    return mul(inside, sub(size, mul(inside, 0.5)));
  };
  return ofNumbers("huber", options, losses, { config: { delta } });
}

/** Mean of log(cosh(prediction - label)). @see https://keras.io/api/losses/regression_losses/#logcosh-class */
export function logCosh(options: LossOptions = {}): Loss {
  return ofNumbers("logCosh", options, (emit, output, labels) => {
    const { add, mul, sub } = formula(emit);
    const error = sub(output, labels);
    return sub(add(error, emit.op("Softplus", [mul(error, -2)])), Math.LN2);
  });
}

/** Mean of prediction - label log(prediction), for counts; predictions are rates above 0. @see https://keras.io/api/losses/regression_losses/#poisson-class */
export function poisson(options: LossOptions = {}): Loss {
  const losses: OfValues = (emit, output, labels) => {
    const { add, log, mul, sub } = formula(emit);
    return sub(output, mul(labels, log(add(output, epsilon))));
  };
  return ofNumbers("poisson", options, losses, { check: checkNotNegative });
}

/**
 * The pinball loss, whose minimum is a quantile: mean of max(q e, (q - 1) e) for the error e = label - prediction.
 *
 * With several quantiles the output is [batch, ..., quantiles] and each unit learns its own; labels are [batch, ..., 1].
 *
 * @throws ARGUMENT_INVALID for a quantile that is not between 0 and 1; GRAPH_SHAPE for an output of another size
 * @see R. Koenker, G. Bassett, Regression quantiles (1978)
 */
export function quantile({ quantiles = 0.5, ...options }: LossOptions & { readonly quantiles?: number | readonly number[] } = {}): Loss {
  const list = typeof quantiles === "number" ? [quantiles] : quantiles;
  list.forEach((value, i) => {
    checkArgument("quantile", { [`quantile ${i + 1}`]: value }, { fits: (number) => number > 0 && number < 1, range: "between 0 and 1" });
  });
  const losses: OfValues = (emit, output, labels) => {
    const { max, mul, sub } = formula(emit);
    const error = sub(labels, output);
    const shares = emit.constant(tensor(output.dtype, [list.length], list));
    return max(mul(error, shares), mul(error, sub(shares, 1)));
  };
  const labels: LossDefinition["labels"] = (output) => {
    const like = labelsLike(output, "quantile");
    if (list.length === 1) return like;
    checkArgument(
      "quantile",
      { "the number of quantiles": list.length },
      {
        fits: (count) => count === lastSize(output, "quantile"),
        range: `the size of the output's last dimension, ${lastSize(output, "quantile")}`,
      },
    );
    return { dtype: "float32", shape: [...output.shape.slice(0, -1), 1] };
  };
  return ofNumbers("quantile", options, losses, { config: { quantiles }, labels });
}

type OfValues = (emit: Emitter, output: Value, labels: Value) => Value;

/** Keras's: keeps divisors and logarithms away from 0. */
const epsilon = 1e-7;

function ofNumbers(
  name: string,
  { output = "prediction", ...others }: LossOptions,
  losses: OfValues,
  {
    config = {},
    check = checkFinite,
    labels = (value) => labelsLike(value, name),
  }: Partial<Pick<LossDefinition, "config" | "check" | "labels">> = {},
): Loss {
  return createLoss({ others, name, output, config, labels, losses, check });
}
