import { findOperator, readAttributes, toNumbers, type Node, type ValueName } from "../../../core/index.ts";
import type { FusionContext } from "./fusion.ts";

/** The value that a node adds up over all axes but the last, whose sums are a vector; undefined for other nodes. */
export function summedRows(node: Node, { graph }: FusionContext): ValueName | undefined {
  const [value = "", axes = ""] = node.inputs;
  const operator = node.operator === "ReduceSum" ? findOperator("ReduceSum") : undefined;
  const rank = graph.values[value]?.shape.length ?? 0;
  const given = graph.constants[axes];
  if (operator === undefined || given === undefined || rank < 2) return undefined;
  if (readAttributes(operator, node.name, node.attributes).int("keepdims") !== 0) return undefined;
  const summed = new Set(toNumbers(given).map((axis) => (axis < 0 ? axis + rank : axis)));
  return summed.size === rank - 1 && !summed.has(rank - 1) ? value : undefined;
}

/** The node before `last` that sums a value's rows. */
export function rowSumOf(value: ValueName, last: Node, context: FusionContext): Node | undefined {
  return context.readers(value).find((reader) => context.isBefore(reader, last) && summedRows(reader, context) === value);
}

/** Whether every other reader of a value comes after a node. */
export function isReadAfter(value: ValueName, node: Node, { readers, isBefore }: FusionContext): boolean {
  return readers(value).every((reader) => reader === node || isBefore(node, reader));
}
