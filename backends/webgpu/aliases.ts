import { dtypeOfCode, elementCount, type Graph, type Node, type ValueName } from "../../core/index.ts";
import { attributesOf } from "./kernel.ts";
import { scalarOf } from "./storage.ts";

const reshapes: ReadonlySet<string> = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"]);

/** Whether a node's output is its first input's memory seen in another shape or type: nothing has to run. */
export function isAlias(graph: Graph, node: Node): boolean {
  if (reshapes.has(node.operator)) return true;
  const input = graph.values[node.inputs[0] ?? ""];
  const output = graph.values[node.outputs[0] ?? ""];
  if (input === undefined || output === undefined) return false;
  const shape = input.shape.map(Number);
  switch (node.operator) {
    case "Cast":
      return aliasedCast(input.dtype, dtypeOfCode(attributesOf(node).int("to")));
    case "Expand":
      return elementCount(shape) === elementCount(output.shape.map(Number));
    case "Transpose": {
      const attributes = attributesOf(node);
      const perm = attributes.has("perm") ? attributes.ints("perm") : shape.map((_, axis) => shape.length - 1 - axis);
      const moved = perm.filter((axis) => shape[axis] !== 1);
      return moved.every((axis, i) => i === 0 || axis > (moved[i - 1] ?? -1));
    }
    default:
      return false;
  }
}

/** The value whose memory each value uses: itself, or what it is an alias of. */
export function rootsOf(graph: Graph): (name: ValueName) => ValueName {
  const roots = new Map<ValueName, ValueName>();
  const root = (name: ValueName): ValueName => roots.get(name) ?? name;
  for (const node of graph.nodes) {
    if (isAlias(graph, node)) roots.set(node.outputs[0] ?? "", root(node.inputs[0] ?? ""));
  }
  return root;
}

function aliasedCast(from: Parameters<typeof scalarOf>[0], to: ReturnType<typeof dtypeOfCode>): boolean {
  if (to === undefined || from === to) return from === to;
  // A byte is no bool: everything but 0 would have to become 1. And float16 has to be rounded.
  return scalarOf(from) === scalarOf(to) && !(from === "uint8" && to === "bool") && to !== "float16";
}
