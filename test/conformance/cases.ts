import type { ConformanceCase } from "./case.ts";
import { executableCases } from "./cases/executable.ts";
import { lossCases } from "./cases/losses.ts";
import { optimizerPathCases } from "./cases/optimizer-paths.ts";
import { trainingCases } from "./cases/training.ts";
import { casesOf } from "./operator-case.ts";
import { operatorSpecs } from "./specs.ts";

/** The contract of a backend: every case, the same for all of them. Needs no test runner. */
export function conformanceCases(): readonly ConformanceCase[] {
  return [...operatorSpecs.flatMap(casesOf), ...trainingCases, ...lossCases, ...optimizerPathCases, ...executableCases];
}
