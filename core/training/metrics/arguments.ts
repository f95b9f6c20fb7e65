import { EspalierError } from "../../errors.ts";

/** @throws ARGUMENT_INVALID for what is no whole number from 1 */
export function checkWhole(metric: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new EspalierError("ARGUMENT_INVALID", `${metric}: ${name} must be a whole number from 1, not ${value}`, { [name]: value });
  }
}
