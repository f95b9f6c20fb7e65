import type { Backend, Executable } from "../backend.ts";
import type { Graph, Node, ValueName } from "../graph/graph.ts";
import { isFloat } from "../operators/shapes.ts";
import { bytesPerElement, elementCount, type Tensor, type Tensors } from "../tensor.ts";
import { phasesOf, type Phase } from "../profiling/phase.ts";
import { batchOf } from "../profiling/sizes.ts";

/** What is known of a value that was computed, fed or kept. */
export interface ValueRange {
  readonly name: ValueName;
  readonly shape: readonly number[];
  /** Of the finite elements; undefined when there is none. */
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly nans: number;
  readonly infinities: number;
  /** Place of the first NaN or infinity in the first dimension: of a feed its row. Absent without one, and for a scalar. */
  readonly firstRow?: number;
}

/** The operator that made a number which is none. */
export interface Anomaly {
  /** A node of the training graph, or an input or state value that held the number already. */
  readonly node: string;
  /** Undefined for an input or a state value. */
  readonly operator: string | undefined;
  readonly phase: Phase | "input" | "state";
  readonly output: ValueRange;
  readonly inputs: readonly ValueRange[];
}

/** Where an anomaly is looked for. */
export interface AnomalyOptions {
  readonly graph: Graph;
  /** Whose state is read; it stays as it is. */
  readonly executable: Executable;
  /** What a run of the graph is fed. */
  readonly feeds: Tensors;
}

/** Values that are read back in one run; beyond that a graph's values are looked at in several. */
const maxBytes = 512 * 2 ** 20;

/**
 * Finds the first operator that makes a NaN or an infinity which reaches the graph's outputs or updates: the graph is run again with its intermediate
 * values as outputs, and followed back from the first bad result to the node whose inputs are all finite.
 *
 * Infinities that a graph means, such as those of a mask's constant, are inputs of whatever uses them and never blamed.
 *
 * @returns undefined when every result is finite
 */
export async function findAnomaly(backend: Backend, { graph, executable, feeds }: AnomalyOptions): Promise<Anomaly | undefined> {
  const ranges = new Map<ValueName, ValueRange>();
  for (const { name } of graph.inputs) note(ranges, name, feeds[name]);
  for (const [name, value] of Object.entries(graph.constants)) note(ranges, name, value);
  for (const [name, value] of Object.entries(await executable.readState(graph.state.map(({ name }) => name)))) note(ranges, name, value);
  for (const part of partsOf(graph, batchOf(graph, feeds))) {
    const outputs = Object.fromEntries(part.map((value, i) => [`value_${i}`, value]));
    const probe = await backend.compile({ ...graph, updates: {}, outputs }, { shareStateWith: executable });
    try {
      const found = await probe.run(feeds);
      part.forEach((value, i) => note(ranges, value, found[`value_${i}`]));
    } finally {
      await probe.dispose();
    }
  }
  const results = [...Object.values(graph.outputs), ...Object.values(graph.updates)];
  const producers = new Map(graph.nodes.flatMap((node, index) => node.outputs.map((output) => [output, { node, index }] as const)));
  const bad = results.filter((name) => isBad(ranges.get(name))).toSorted((a, b) => (producers.get(a)?.index ?? -1) - (producers.get(b)?.index ?? -1));
  const [first] = bad;
  return first === undefined ? undefined : blame(graph, { first, ranges, producers });
}

/** An anomaly in a sentence: `gradient/Div_3 (Div, backward) made NaN: ...`. */
export function describeAnomaly({ node, operator, phase, output, inputs }: Anomaly): string {
  const what = output.nans > 0 ? "NaN" : "infinity";
  const row = phase === "input" && output.firstRow !== undefined ? ` in row ${output.firstRow} of its batch` : "";
  if (operator === undefined) return `the ${phase} "${node}" holds ${what}${row} (${describeRange(output)})`;
  const given = inputs.map((input) => `"${input.name}" ${describeRange(input)}`).join(", ");
  return `the first ${what} comes from node "${node}" (${operator}, ${phase}) of ${given}`;
}

function describeRange({ shape, min, max, nans, infinities }: ValueRange): string {
  const range = min === undefined || max === undefined ? "without a finite element" : `from ${short(min)} to ${short(max)}`;
  const odd = [nans > 0 ? `${nans} NaN` : "", infinities > 0 ? `${infinities} infinite` : ""].filter((text) => text !== "");
  return `[${shape.join(", ")}] ${range}${odd.length > 0 ? ` with ${odd.join(" and ")}` : ""}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

interface Trace {
  readonly first: ValueName;
  readonly ranges: ReadonlyMap<ValueName, ValueRange>;
  readonly producers: ReadonlyMap<ValueName, { readonly node: Node; readonly index: number }>;
}

/** Walks from a bad result to what made it: always to the earliest input that is bad itself. */
function blame(graph: Graph, { first, ranges, producers }: Trace): Anomaly {
  const rangeOf = (name: ValueName): ValueRange => ranges.get(name) ?? { name, shape: [], min: undefined, max: undefined, nans: 0, infinities: 0 };
  let value = first;
  for (;;) {
    const made = producers.get(value);
    if (made === undefined) {
      const phase = graph.state.some(({ name }) => name === value) ? "state" : "input";
      return { node: value, operator: undefined, phase, output: rangeOf(value), inputs: [] };
    }
    const { node } = made;
    const [earlier] = node.inputs
      .filter((input) => isBad(ranges.get(input)) && graph.constants[input] === undefined)
      .toSorted((a, b) => (producers.get(a)?.index ?? -1) - (producers.get(b)?.index ?? -1));
    if (earlier === undefined) {
      const inputs = node.inputs.filter((name) => name !== "").map(rangeOf);
      return { node: node.name, operator: node.operator, phase: phasesOf(graph)(node.name), output: rangeOf(value), inputs };
    }
    value = earlier;
  }
}

function isBad(range: ValueRange | undefined): boolean {
  return range !== undefined && (range.nans > 0 || range.infinities > 0);
}

function note(ranges: Map<ValueName, ValueRange>, name: ValueName, value: Tensor | undefined): void {
  if (value === undefined || value.dtype === "string") return;
  let [min, max, nans, infinities, index] = [Infinity, -Infinity, 0, 0, -1];
  let first: number | undefined;
  for (const element of value.data as Iterable<number | bigint>) {
    const number = Number(element); // strings were passed over
    index += 1;
    if (!Number.isFinite(number)) first ??= index;
    if (Number.isNaN(number)) nans += 1;
    else if (!Number.isFinite(number)) infinities += 1;
    else {
      min = Math.min(min, number);
      max = Math.max(max, number);
    }
  }
  const none = min > max;
  const [rows] = value.shape;
  const place = first !== undefined && rows !== undefined && { firstRow: Math.floor((first * rows) / value.data.length) };
  ranges.set(name, { name, shape: value.shape, min: none ? undefined : min, max: none ? undefined : max, nans, infinities, ...place });
}

/** The float values of all nodes, in groups that fit into memory together. */
function partsOf(graph: Graph, batch: number): readonly (readonly ValueName[])[] {
  const parts: ValueName[][] = [];
  let room = 0;
  for (const name of graph.nodes.flatMap((node) => node.outputs)) {
    const type = graph.values[name];
    if (type === undefined || type.dtype === "string" || !isFloat(type.dtype)) continue;
    const bytes = elementCount(type.shape.map((size) => (size === "batch" ? batch : size))) * bytesPerElement[type.dtype];
    if (parts.length === 0 || bytes > room) {
      parts.push([]);
      room = maxBytes;
    }
    parts.at(-1)?.push(name);
    room -= bytes;
  }
  return parts;
}
