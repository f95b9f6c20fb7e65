import { EspalierError } from "../errors.ts";
import { suggestNames } from "../nearest.ts";
import type { EpochRecord } from "./event.ts";
import type { NamedTerm } from "./loss-terms.ts";
import type { Metric } from "./metrics/index.ts";

/** The number by which epochs are compared. */
export interface Monitor {
  /**
   * `validation.<metric>`, `validation.loss`, `loss`, or with several losses `validation.loss/<output>` and `loss/<output>`. Default: `validation.loss`,
   * without validation data `loss`.
   */
  readonly metric?: string;
  /** Whether lower or higher is better. Losses have "min" by default, other numbers must say. */
  readonly mode?: "min" | "max";
}

/** A record's numbers by the names that monitors, log files and charts use. */
export function recordNumbers({ loss, losses = {}, learningRate, validation = {} }: EpochRecord): Readonly<Record<string, number>> {
  const named = (prefix: string, values: Readonly<Record<string, number>>): [string, number][] =>
    Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]);
  return { loss, ...Object.fromEntries([...named("loss/", losses), ["learningRate", learningRate], ...named("validation.", validation)]) };
}

/** The names of those numbers before there is a record. */
export function numberNames(terms: readonly NamedTerm[], metrics: readonly Metric[] | undefined): readonly string[] {
  const losses = ["loss", ...(terms.length > 1 ? terms.map(({ name }) => `loss/${name}`) : [])];
  const validated = metrics === undefined ? [] : [...losses, ...metrics.map(({ name }) => name)].map((name) => `validation.${name}`);
  return [...losses, "learningRate", ...validated];
}

/**
 * A monitor with its defaults.
 *
 * @param names of the run's numbers
 * @param where who asks, for errors
 * @throws ARGUMENT_INVALID for a number that the run does not have, and without a mode where there is no default
 */
export function resolveMonitor({ metric, mode }: Monitor, names: readonly string[], where: string): Required<Monitor> {
  const watched = metric ?? (names.includes("validation.loss") ? "validation.loss" : "loss");
  if (!names.includes(watched)) {
    throw new EspalierError("ARGUMENT_INVALID", `${where}: the run has no number "${watched}"${suggestNames(watched, names)}`, { metric: watched });
  }
  const isLoss = /^(validation\.)?loss(\/|$)/.test(watched);
  if (mode === undefined && !isLoss) {
    throw new EspalierError("ARGUMENT_INVALID", `${where}: say whether "${watched}" is better when it is lower or higher: mode "min" or "max"`, {
      metric: watched,
    });
  }
  if (mode !== undefined && mode !== "min" && mode !== "max") {
    throw new EspalierError("ARGUMENT_INVALID", `${where}: mode must be "min" or "max", not "${String(mode)}"`, { mode });
  }
  return { metric: watched, mode: mode ?? "min" };
}

/** Whether a number is better than the best so far by more than `minDelta`; NaN never is. */
export function isBetter(
  value: number,
  best: number | undefined,
  { mode, minDelta = 0 }: { readonly mode: "min" | "max"; readonly minDelta?: number },
): boolean {
  if (Number.isNaN(value)) return false;
  if (best === undefined) return true;
  return mode === "min" ? value < best - minDelta : value > best + minDelta;
}
