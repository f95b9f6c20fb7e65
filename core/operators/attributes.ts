import { EspalierError } from "../errors.ts";
import type { Attribute } from "../graph/graph.ts";
import type { Attributes, Operator } from "./operator.ts";

/**
 * Checks a node's attributes against its operator and fills in defaults.
 *
 * @throws GRAPH_INVALID for an unknown attribute (the known ones are named), a wrong kind, or a required one that is missing
 */
export function readAttributes(operator: Operator, nodeName: string, given: Readonly<Record<string, Attribute>>): Attributes {
  const specs = operator.attributes;
  const refuse = (message: string): never => {
    throw new EspalierError("GRAPH_INVALID", `${nodeName} (${operator.name}): ${message}`, { node: nodeName, operator: operator.name });
  };
  for (const [name, value] of Object.entries(given)) {
    const spec =
      (Object.hasOwn(specs, name) ? specs[name] : undefined) ?? refuse(`no attribute "${name}"; it has ${Object.keys(specs).join(", ") || "none"}`);
    if (!hasKind(value, spec.kind)) refuse(`attribute "${name}" must be of kind ${spec.kind}, not ${JSON.stringify(value)}`);
  }
  for (const [name, spec] of Object.entries(specs)) {
    if (spec.required && given[name] === undefined) refuse(`attribute "${name}" is required`);
  }
  const get = (name: string): Attribute => given[name] ?? specs[name]?.default ?? refuse(`attribute "${name}" has no value`);
  return {
    int: (name) => get(name) as number, // kinds were checked above
    float: (name) => get(name) as number,
    string: (name) => get(name) as string,
    ints: (name) => get(name) as readonly number[],
    strings: (name) => get(name) as readonly string[],
    has: (name) => (given[name] ?? specs[name]?.default) !== undefined,
  };
}

function hasKind(value: Attribute, kind: Operator["attributes"][string]["kind"]): boolean {
  switch (kind) {
    case "int":
      return Number.isSafeInteger(value);
    case "float":
      return typeof value === "number";
    case "string":
      return typeof value === "string";
    case "ints":
      return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item));
    case "floats":
      return Array.isArray(value) && value.every((item) => typeof item === "number");
    case "strings":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    default:
      return kind satisfies never;
  }
}
