import { findOperator } from "../operators/index.ts";
import type { Node } from "./graph.ts";
import { attributeToJson, type AttributeJson } from "./json.ts";

/** A node's attributes with defaults written out, by name: equal for nodes that mean the same. */
export function attributesKey(node: Node): readonly (readonly [string, AttributeJson])[] {
  const specs = Object.entries(findOperator(node.operator)?.attributes ?? {});
  const defaults = specs.flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value] as const]));
  const all = { ...Object.fromEntries(defaults), ...node.attributes };
  return Object.entries(all)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, attributeToJson(value)]);
}
