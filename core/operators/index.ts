import type { Operator } from "./operator.ts";

/** Every operator that a graph may hold. Adding one is one file and one line here. */
export const operators: readonly Operator[] = [];

const byName: ReadonlyMap<string, Operator> = new Map(operators.map((operator) => [operator.name, operator]));

/** The definition of an operator, or undefined when there is none of that name. */
export function findOperator(name: string): Operator | undefined {
  return byName.get(name);
}
