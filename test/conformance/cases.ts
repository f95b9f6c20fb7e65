import type { Backend } from "../../core/index.ts";
import type { ConformanceCase } from "./case.ts";
import { executableCases } from "./cases/executable.ts";
import { lossCases } from "./cases/losses.ts";
import { optimizerPathCases } from "./cases/optimizer-paths.ts";
import { trainingCases } from "./cases/training.ts";
import { casesOf } from "./operator-case.ts";
import type { OperatorSpec } from "./operator-spec.ts";
import { operatorSpecs } from "./specs.ts";

/** The contract of a backend: every case, the same for all of them. Needs no test runner. */
export function conformanceCases(): readonly ConformanceCase[] {
  return casesFor(operatorSpecs);
}

/**
 * The cases for a backend in a browser, where shaders are compiled for every shape on the CPU: of an operator that the backend has no kernel for,
 * only those of the first spec. Core writes it in operators whose own cases all run, and other backends run all of its cases.
 */
export function casesInBrowser({ operators }: Backend["capabilities"]): readonly ConformanceCase[] {
  const firsts = new Map<string, OperatorSpec>();
  for (const spec of operatorSpecs) if (!firsts.has(spec.operator)) firsts.set(spec.operator, spec);
  return casesFor(operatorSpecs.filter((spec) => operators.has(spec.operator) || firsts.get(spec.operator) === spec));
}

function casesFor(specs: readonly OperatorSpec[]): readonly ConformanceCase[] {
  return [...specs.flatMap(casesOf), ...trainingCases, ...lossCases, ...optimizerPathCases, ...executableCases];
}
