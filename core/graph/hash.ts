import { sha256Hex } from "../sha256.ts";
import type { Tensor } from "../tensor.ts";
import { attributesKey } from "./attributes-key.ts";
import type { Graph, ValueName } from "./graph.ts";

/**
 * A graph's identity: SHA-256 of what it computes, as 64 hexadecimal digits.
 *
 * Names inside the graph, the order of independent nodes, dead nodes and written-out defaults do not count; the public names of
 * inputs, outputs and state do, and so do operators, attributes, types and the contents of constants.
 */
export function hashGraph(graph: Graph): string {
  const ids = new Map<ValueName, string>();
  for (const { name, dtype, shape, random } of graph.inputs) ids.set(name, digest(["input", name, dtype, shape, ...(random ? [random] : [])]));
  for (const { name, dtype, shape, role } of graph.state) ids.set(name, digest(["state", name, dtype, shape, role]));
  for (const [name, constant] of Object.entries(graph.constants)) {
    ids.set(name, digest(["constant", constant.dtype, constant.shape, sha256Hex(bytesOf(constant))]));
  }
  const idOf = (name: ValueName): string => ids.get(name) ?? "";
  for (const node of graph.nodes) {
    const id = digest(["node", node.operator, node.inputs.map(idOf), node.outputs.length, attributesKey(node)]);
    node.outputs.forEach((output, i) => ids.set(output, `${id}:${i}`));
  }
  return digest([
    "graph",
    graph.inputs.map(({ name }) => idOf(name)).toSorted(),
    graph.state.map(({ name }) => idOf(name)).toSorted(),
    byName(graph.outputs).map(([name, value]) => [name, idOf(value)]),
    byName(graph.updates).map(([state, value]) => [state, idOf(value)]),
  ]);
}

function byName<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function bytesOf({ data }: Tensor): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new TextEncoder().encode(JSON.stringify(data));
}

function digest(content: unknown): string {
  return sha256Hex(new TextEncoder().encode(JSON.stringify(content)));
}
