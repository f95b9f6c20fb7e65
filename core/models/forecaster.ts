import { EspalierError } from "../errors.ts";

/** What every forecaster takes. */
export interface ForecasterOptions {
  /** The input's name. Default `window`. */
  readonly input?: string;
  /** Time steps that are seen. */
  readonly window: number;
  /** Numbers of one time step. */
  readonly features: number;
  /** Time steps that are foretold. */
  readonly horizon: number;
  readonly seed?: number;
}

/** @throws ARGUMENT_INVALID unless all are whole numbers from 1 */
export function checkForecaster(where: string, sizes: Readonly<Record<"window" | "features" | "horizon", number>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (Number.isSafeInteger(size) && size >= 1) continue;
    throw new EspalierError("ARGUMENT_INVALID", `${where}: ${name} must be a whole number from 1, not ${size}`, { [name]: size });
  }
}
