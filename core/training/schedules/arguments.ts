import { EspalierError } from "../../errors.ts";

/** @throws ARGUMENT_INVALID for a number of steps that is no whole number from `least` */
export function checkSteps(schedule: string, values: Readonly<Record<string, number | undefined>>, least = 1): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= least)) continue;
    throw new EspalierError("ARGUMENT_INVALID", `${schedule}: ${name} must be a whole number from ${least}, not ${value}`, { [name]: value });
  }
}

/** @throws ARGUMENT_INVALID for a number outside its range */
export function checkNumbers(
  schedule: string,
  values: Readonly<Record<string, number>>,
  { fits, range }: { readonly fits: (value: number) => boolean; readonly range: string },
): void {
  for (const [name, value] of Object.entries(values)) {
    if (fits(value) && Number.isFinite(value)) continue;
    throw new EspalierError("ARGUMENT_INVALID", `${schedule}: ${name} must be ${range}, not ${value}`, { [name]: value });
  }
}

/** Ranges that several schedules ask for. */
export const fromZero = { fits: (value: number): boolean => value >= 0, range: "a number from 0" };
export const aboveZero = { fits: (value: number): boolean => value > 0, range: "a number above 0" };
export const share = { fits: (value: number): boolean => value >= 0 && value <= 1, range: "from 0 to 1" };
