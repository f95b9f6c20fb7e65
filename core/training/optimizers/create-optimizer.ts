import type { Value } from "../../operators/operator.ts";
import { checkNames } from "../../nearest.ts";
import { formula } from "../../operators/formula.ts";
import type { Optimizer, OptimizerContext } from "./optimizer.ts";
import { groupParameters, type GroupContext, type ParameterGroup } from "./parameter-group.ts";
import { checkRange, slots } from "./slots.ts";

/** What every optimizer takes; the names are Keras's. */
export interface OptimizerOptions {
  /** The rate that a constant schedule feeds. */
  readonly learningRate?: number;
  readonly weightDecay?: number;
  readonly groups?: readonly ParameterGroup[];
  /** A gradient is scaled down when its Euclidean norm is above this. Default: never. For the norm of all gradients together see `globalClipNorm`. */
  readonly clipNorm?: number;
  /** Every element of a gradient is kept from -this to this; after `clipNorm`. */
  readonly clipValue?: number;
  /** Momentum of an exponential moving average of the weights, such as 0.999; see `averagedWeights`. Default: no average. */
  readonly ema?: number;
}

/** An optimizer's name, the arguments of its own, and how it writes the update of parameters that go together. */
export interface OptimizerDefinition {
  readonly name: string;
  readonly learningRate: number;
  /** Default 0; where it is left out, `options` may not have one. */
  readonly weightDecay?: number;
  /** The arguments beside the common ones. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly options: OptimizerOptions;
  /** Adds nodes, slots and the updates of `parameters`; called for each group. */
  readonly write: (group: GroupContext) => void;
}

/**
 * An optimizer of its own update rule, with groups, clipping and averages.
 *
 * @throws ARGUMENT_INVALID for a common option out of range, or one that is not there, with the nearest name
 * @example
 * const signDescent = createOptimizer({ name: "signDescent", learningRate: 0.01, options: {}, write({ builder, parameters, gradients, learningRate }) {
 *   parameters.forEach((x, i) => builder.update(x.name, builder.op("Sub", [x, builder.op("Mul", [learningRate, builder.op("Sign", [gradients[i]])])])));
 * } });
 */
export function createOptimizer({ name, learningRate, weightDecay: decay, config = {}, options, write }: OptimizerDefinition): Optimizer {
  const { groups = [], clipNorm, clipValue, ema } = options;
  const weightDecay = decay ?? 0;
  const common = ["learningRate", ...(decay === undefined ? [] : ["weightDecay"]), "groups", "clipNorm", "clipValue", "ema"];
  checkNames(name, options, [...Object.keys(config), ...common]);
  checkRange(name, { learningRate, weightDecay }, Infinity);
  checkRange(name, { ...(clipNorm !== undefined && { clipNorm }), ...(clipValue !== undefined && { clipValue }) }, Infinity, { above: true });
  if (ema !== undefined) checkRange(name, { ema }, 1);
  for (const group of groups) {
    checkRange(`${name}: a group`, { learningRateFactor: group.learningRateFactor ?? 1, weightDecay: group.weightDecay ?? 0 }, Infinity);
  }
  const given = { ...(groups.length > 0 && { groups }), ...(clipNorm !== undefined && { clipNorm }), ...(clipValue !== undefined && { clipValue }) };
  return {
    name,
    config: { learningRate, ...config, weightDecay, ...given, ...(ema !== undefined && { ema }) },
    learningRate,
    apply(context) {
      const clipped = { ...context, gradients: context.gradients.map((gradient) => clip(context, gradient, { clipNorm, clipValue })) };
      const parts = groupParameters(clipped, { groups, weightDecay, optimizer: name });
      if (ema !== undefined) average(context, { parameters: parts.flatMap(({ parameters }) => parameters), momentum: ema });
      for (const part of parts) write(part);
    },
  };
}

/** An optimizer that is one node for all parameters of a group. */
export interface FusedUpdate {
  readonly operator: string;
  /** Names of the slots, in the order of the operator's inputs. */
  readonly slots: readonly string[];
  readonly attributes: Readonly<Record<string, number | string>>;
}

/** Writes a node of an optimizer's operator, its slots (`<operator in lower case>/<slot>/<parameter>`) and the updates. */
export function writeFused(
  { builder, parameters, gradients, learningRate, step }: GroupContext,
  { operator, slots: names, attributes }: FusedUpdate,
): void {
  const prefix = operator.toLowerCase();
  const lists = names.map((slot) => slots(builder, `${prefix}/${slot}`, parameters));
  const states = [...parameters, ...lists.flat()];
  const outputs = builder.ops(operator, [learningRate, step, ...parameters, ...gradients, ...lists.flat()], states.length, attributes);
  states.forEach((state, i) => builder.update(state.name, outputs[i] as Value)); // as many outputs as states were asked for
}

function clip(
  { builder }: OptimizerContext,
  gradient: Value,
  { clipNorm, clipValue }: { readonly clipNorm: number | undefined; readonly clipValue: number | undefined },
): Value {
  const { div, max, min, mul, sqrt, square, sum } = formula(builder);
  const scaled = clipNorm === undefined ? gradient : mul(gradient, div(clipNorm, max(sqrt(sum(square(gradient))), clipNorm)));
  return clipValue === undefined ? scaled : max(min(scaled, clipValue), -clipValue);
}

/**
 * Averages of what the last step left: read from the weights at the start of a step, so that no update has to wait for it. The first average is the
 * weights after the first step, as in Keras. Stands before the optimizer's node: it reads what that one writes over.
 */
function average(
  { builder, learningRate, step }: OptimizerContext,
  { parameters, momentum }: { readonly parameters: readonly Value[]; readonly momentum: number },
): void {
  if (parameters.length === 0) return;
  const averages = slots(builder, "ema", parameters);
  const share = builder.scalar(1 - momentum, learningRate.dtype);
  const outputs = builder.ops("MovingAverage", [share, step, ...averages, ...parameters], averages.length, { start: 2 });
  averages.forEach(({ name }, i) => builder.update(name, outputs[i] as Value)); // an output each
}
