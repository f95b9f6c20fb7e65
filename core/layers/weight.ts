import { checkConstraint, type Constraint } from "../training/constraint.ts";
import { checkRegularizer, type Regularizer } from "../training/regularizer.ts";
import { naming } from "./argument.ts";
import { checkInitializer, type Initializer } from "./initializer.ts";
import type { ParameterOptions } from "./layer.ts";

/** The arguments of a layer for one of its weights: `kernelInitializer`, `kernelRegularizer`, `kernelConstraint`. */
export type WeightArguments<Name extends string> = {
  readonly [Key in `${Name}Initializer`]?: Initializer | undefined;
} & {
  /** A penalty on the weight, added to the loss. */
  readonly [Key in `${Name}Regularizer`]?: Regularizer | undefined;
} & {
  /** What the weight is brought back to after every step; its axes are those of the weight's own layout. */
  readonly [Key in `${Name}Constraint`]?: Constraint | undefined;
};

/** One weight of a layer: what it starts as and what holds it. */
export interface Weight {
  /** For `context.parameter`. */
  readonly options: ParameterOptions & { readonly initializer: Initializer };
  /** For the layer's config, under the arguments' names. */
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * Reads a weight's three arguments.
 *
 * @param where the layer's function, for errors
 * @throws ARGUMENT_INVALID for a name or a number that is none
 */
export function weight<Name extends string>(where: string, name: Name, given: WeightArguments<Name>, standard: Initializer): Weight {
  const all = given as Readonly<Record<string, unknown>>; // of a name that is not known yet, TypeScript cannot look up the keys
  const initializer = (all[`${name}Initializer`] as Initializer | undefined) ?? standard; // what WeightArguments says of the key
  const regularizer = all[`${name}Regularizer`] as Regularizer | undefined; // what WeightArguments says of the key
  const constraint = all[`${name}Constraint`] as Constraint | undefined; // what WeightArguments says of the key
  checkInitializer(`${where}: ${name}Initializer`, initializer);
  naming(`${where}: ${name}Regularizer`, () => regularizer && checkRegularizer(regularizer));
  naming(`${where}: ${name}Constraint`, () => constraint && checkConstraint(constraint));
  return {
    options: { initializer, regularizer, constraint },
    config: {
      // A function has no name that could be written down.
      [`${name}Initializer`]: typeof initializer === "function" ? "function" : initializer,
      ...(regularizer && { [`${name}Regularizer`]: regularizer }),
      ...(constraint && { [`${name}Constraint`]: constraint }),
    },
  };
}
