import type { Graph, ValueName } from "../graph/graph.ts";
import { isFrozen } from "../models/freeze.ts";
import type { LayerCall } from "../models/layer-call.ts";
import type { Model } from "../models/model.ts";
import { countFlops } from "../profiling/flops.ts";
import { bytesText } from "../profiling/report.ts";
import { valueBytes } from "../profiling/sizes.ts";
import { elementCount } from "../tensor.ts";

/** One line of a summary: an input, a call of a layer, or a node of a graph that was not made of layers. */
export interface SummaryRow {
  readonly name: string;
  /** Keras's class name, or the operator. */
  readonly kind: string;
  readonly shapes: readonly string[];
  /** Numbers in its parameters and statistics; a shared layer's count at its first call. */
  readonly parameters: number;
  /** For one row, a multiplication and an addition being two. */
  readonly flops: number;
  readonly connectedTo: readonly string[];
}

/** What a model is made of. */
export interface ModelSummary {
  readonly name: string;
  readonly rows: readonly SummaryRow[];
  /** Numbers that training changes. */
  readonly trainable: number;
  /** Running statistics and what is frozen. */
  readonly nonTrainable: number;
  readonly parameterBytes: number;
  /** All values between the nodes, for one row: what a training step keeps, and more than a prediction needs. */
  readonly activationBytesPerRow: number;
  readonly flopsPerRow: number;
}

/**
 * A model's layers as a table: output shapes, parameters, operations, what each is connected to; and the totals.
 *
 * @example console.log(summary(model));
 */
export function summary(model: Model): string {
  const found = summarize(model);
  const header = ["Layer (type)", "Output shape", "Params", "FLOPs", "Connected to"];
  const lines = found.rows.map(({ name, kind, shapes, parameters, flops, connectedTo }) => {
    return [`${name} (${kind})`, shapes.join(" "), grouped(parameters), grouped(flops), connectedTo.join(", ")];
  });
  const widths = header.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const table = [header, ...lines].map((line) => {
    return line
      .map((cell, column) => (column === 2 || column === 3 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  });
  const rule = "-".repeat(Math.max(...table.map((line) => line.length)));
  return [
    `Model: "${found.name}"`,
    rule,
    table[0],
    rule,
    ...table.slice(1),
    rule,
    `Trainable params: ${grouped(found.trainable)}`,
    `Non-trainable params: ${grouped(found.nonTrainable)}`,
    `Memory: ${bytesText(found.parameterBytes)} of parameters, ${bytesText(found.activationBytesPerRow)} of activations a row`,
    `FLOPs: ${grouped(found.flopsPerRow)} a row`,
  ].join("\n");
}

/** What `summary` prints, as data. */
export function summarize(model: Model): ModelSummary {
  const { graph } = model;
  const flops = countFlops(graph);
  const sizes = new Map(graph.state.map(({ name, shape }) => [name, elementCount(shape)]));
  const trained = graph.state.filter(({ name, role }) => role === "parameter" && !isFrozen(model, name));
  const sum = (names: readonly ValueName[]): number => names.reduce((total, name) => total + (sizes.get(name) ?? 0), 0);
  const all = sum([...sizes.keys()]);
  const trainable = sum(trained.map(({ name }) => name));
  const bound = { types: graph.values, batch: 1 };
  const bytes = (names: readonly ValueName[]): number => names.reduce((total, name) => total + valueBytes(name, bound), 0);
  const ofBatch = graph.nodes.flatMap((node) => node.outputs).filter((name) => graph.values[name]?.shape.includes("batch"));
  return {
    name: graph.name,
    rows: rowsOf(graph, { calls: model.layers ?? nodesAsCalls(graph), sum, flops: flops.nodes }),
    trainable,
    nonTrainable: all - trainable,
    parameterBytes: bytes([...sizes.keys()]),
    activationBytesPerRow: bytes(ofBatch),
    flopsPerRow: flops.total,
  };
}

interface Counting {
  readonly calls: readonly LayerCall[];
  /** How many numbers some state values hold. */
  readonly sum: (names: readonly ValueName[]) => number;
  readonly flops: Readonly<Record<string, number>>;
}

function rowsOf(graph: Graph, { calls, sum, flops }: Counting): readonly SummaryRow[] {
  const writers = new Map<ValueName, string>(graph.inputs.map(({ name }) => [name, name]));
  const counted = new Set<ValueName>();
  const shapeOf = (name: ValueName): string => `[${(graph.values[name]?.shape ?? []).join(", ")}]`;
  const inputs = graph.inputs.map(({ name }) => ({ name, kind: "Input", shapes: [shapeOf(name)], parameters: 0, flops: 0, connectedTo: [] }));
  const rows = calls.map(({ name, kind, inputs: taken, outputs, nodes, state }): SummaryRow => {
    const fresh = state.filter((one) => !counted.has(one));
    for (const one of fresh) counted.add(one);
    const connectedTo = taken.flatMap((value) => writers.get(value) ?? []);
    // A layer may hand on a value that another wrote.
    for (const output of outputs) if (!writers.has(output)) writers.set(output, name);
    const operations = nodes.reduce((total, node) => total + (flops[node] ?? 0), 0);
    return { name, kind, shapes: outputs.map(shapeOf), parameters: sum(fresh), flops: operations, connectedTo: [...new Set(connectedTo)] };
  });
  return [...inputs, ...rows];
}

/** The nodes of a graph that no layers wrote, each as its own. */
function nodesAsCalls(graph: Graph): readonly LayerCall[] {
  const states = new Set(graph.state.map(({ name }) => name));
  return graph.nodes.map(({ name, operator, inputs, outputs }) => ({
    name,
    kind: operator,
    config: {},
    inputs,
    outputs,
    nodes: [name],
    state: inputs.filter((input) => states.has(input)),
  }));
}

/** 1234567 as "1,234,567". */
function grouped(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}
