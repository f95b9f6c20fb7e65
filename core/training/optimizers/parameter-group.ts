import { EspalierError } from "../../errors.ts";
import { matchName } from "../../models/freeze.ts";
import { suggestNames } from "../../nearest.ts";
import type { Value } from "../../operators/operator.ts";
import type { OptimizerContext } from "./optimizer.ts";

/** Parameters that are trained otherwise than the rest: discriminative rates, no decay for biases, a frozen body. */
export interface ParameterGroup {
  /** Names of state values, `*` stands for any text: `"body/*"`, `"*\/bias"`; or a test of names. A parameter belongs to the first group that it matches. */
  readonly match: string | ((name: string) => boolean);
  /** Times the learning rate; from 0, default 1. */
  readonly learningRateFactor?: number;
  /** In place of the optimizer's; from 0. */
  readonly weightDecay?: number;
  /** Left as they are: no update, no slots. */
  readonly frozen?: boolean;
}

/** Parameters that are updated alike. */
export interface GroupContext extends OptimizerContext {
  readonly weightDecay: number;
}

/**
 * The parameters by groups, those without a group first; frozen ones are left out.
 *
 * @throws ARGUMENT_INVALID when a group matches no parameter, with the nearest name
 */
export function groupParameters(
  context: OptimizerContext,
  { groups, weightDecay, optimizer }: { readonly groups: readonly ParameterGroup[]; readonly weightDecay: number; readonly optimizer: string },
): readonly GroupContext[] {
  const names = context.parameters.map(({ name }) => name);
  const tests = groups.map(({ match }) => (typeof match === "string" ? matchName(match) : match));
  for (const [i, test] of tests.entries()) {
    if (names.some(test)) continue;
    const { match } = groups[i] as ParameterGroup; // a test each
    const what = typeof match === "string" ? ` ("${match}")` : "";
    const hint = typeof match === "string" ? suggestNames(match, names) : "";
    throw new EspalierError("ARGUMENT_INVALID", `${optimizer}: group ${i + 1}${what} matches no parameter that is trained${hint}`, {
      group: i + 1,
      names,
    });
  }
  const groupOf = new Map(names.map((name) => [name, tests.findIndex((test) => test(name))]));
  return [undefined, ...groups].flatMap((group, i) => {
    const members = partOf(context, ({ name }) => groupOf.get(name) === i - 1);
    if (members.parameters.length === 0 || group?.frozen === true) return [];
    return [withGroup(members, group ?? {}, weightDecay)];
  });
}

/** Some of the parameters, with their gradients. */
export function partOf<C extends OptimizerContext>(context: C, belongs: (parameter: Value) => boolean): C {
  const belonging = context.parameters.map(belongs);
  return {
    ...context,
    parameters: context.parameters.filter((_, i) => belonging[i]),
    gradients: context.gradients.filter((_, i) => belonging[i]),
  };
}

function withGroup(
  context: OptimizerContext,
  { learningRateFactor = 1, weightDecay }: Omit<ParameterGroup, "match">,
  defaultDecay: number,
): GroupContext {
  const { builder, learningRate } = context;
  return {
    ...context,
    learningRate: learningRateFactor === 1 ? learningRate : builder.op("Mul", [learningRate, builder.scalar(learningRateFactor, learningRate.dtype)]),
    weightDecay: weightDecay ?? defaultDecay,
  };
}
