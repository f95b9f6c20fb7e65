import { EspalierError } from "../errors.ts";
import type { ValueName } from "../graph/graph.ts";
import { suggestNames } from "../nearest.ts";
import type { Model } from "./model.ts";

/**
 * The model with some of its state left alone by training: what Keras calls `trainable = false`.
 *
 * Frozen normalisations predict with the statistics they have.
 *
 * @param patterns names of state values, `*` stands for any text: `freeze(model, ["body/*"])`
 * @throws ARGUMENT_INVALID when a pattern matches nothing
 */
export function freeze(model: Model, patterns: readonly string[]): Model {
  return withFrozen(model, patterns, { frozen: true });
}

/** The reverse of `freeze`. @throws ARGUMENT_INVALID when a pattern matches nothing */
export function unfreeze(model: Model, patterns: readonly string[]): Model {
  return withFrozen(model, patterns, { frozen: false });
}

/** Whether training leaves a state value of this model alone. */
export function isFrozen(model: Pick<Model, "parameters">, state: ValueName): boolean {
  return model.parameters !== undefined && Object.hasOwn(model.parameters, state) && model.parameters[state]?.frozen === true;
}

/** A test of names against a pattern in which `*` stands for any text. */
export function matchName(pattern: string): (name: string) => boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(`^${parts.join(".*")}$`, "s");
  return (name) => expression.test(name);
}

function withFrozen(model: Model, patterns: readonly string[], { frozen }: { readonly frozen: boolean }): Model {
  const names = model.graph.state.map(({ name }) => name);
  const parameters = new Map(Object.entries(model.parameters ?? {}));
  for (const pattern of patterns) {
    const found = names.filter(matchName(pattern));
    if (found.length === 0) {
      throw new EspalierError("ARGUMENT_INVALID", `no state of "${model.graph.name}" matches "${pattern}"${suggestNames(pattern, names)}`, {
        pattern,
      });
    }
    for (const name of found) parameters.set(name, { ...parameters.get(name), frozen });
  }
  return { ...model, parameters: Object.fromEntries(parameters) };
}
