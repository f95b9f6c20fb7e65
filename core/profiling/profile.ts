import type { Backend, Executable, KernelTiming } from "../backend.ts";
import { EspalierError } from "../errors.ts";
import { bindBatch } from "../graph/bind-batch.ts";
import type { Graph, Node } from "../graph/graph.ts";
import type { Tensors } from "../tensor.ts";
import { nodeFlops } from "./flops.ts";
import { phasesOf, type Phase } from "./phase.ts";
import { batchOf, valueBytes, type BoundTypes } from "./sizes.ts";

/** One node of the graph, over all profiled runs. */
export interface ProfileRow {
  readonly node: string;
  readonly operator: string;
  readonly phase: Phase;
  /** Mean of a run; of everything that the backend ran in the node's place. */
  readonly timeMs: number;
  /** Read and written by the node as the graph has it: inputs and outputs. */
  readonly bytes: number;
  /** Floating-point operations; undefined where they are not counted. */
  readonly flops: number | undefined;
}

/** A kernel's turn, and the graph's node that it belongs to; undefined for what the backend put between nodes. */
export interface TimelineEntry extends KernelTiming {
  readonly origin: string | undefined;
}

/** Where a graph's time goes. */
export interface Profile {
  readonly graph: string;
  readonly backend: string;
  readonly device: string;
  readonly batch: number;
  /** Mean of a whole `run`: feeds, kernels, results read back. */
  readonly runMs: number;
  /** By node, the slowest first; undefined when the backend cannot tell its kernels apart. */
  readonly rows: readonly ProfileRow[] | undefined;
  /** Kernels' time and bytes by phase; undefined as above. */
  readonly phases: Readonly<Record<Phase, { readonly timeMs: number; readonly bytes: number }>> | undefined;
  /** Kernels that belong to no node of the graph: conversions that the backend put between them. */
  readonly otherMs: number;
  /** A run's time outside its kernels: feeds, results, calls between threads. Undefined as above. */
  readonly outsideMs: number | undefined;
  /** The kernels of the last profiled run. */
  readonly timeline: readonly TimelineEntry[];
}

/** How a profile is made. */
export interface ProfileOptions {
  readonly backend: Backend;
  readonly graph: Graph;
  /** Its state; what is missing is zero. */
  readonly state?: Tensors;
  readonly feeds: Tensors;
  /** Milliseconds. */
  readonly clock: () => number;
  /** Runs that are measured, after one that is not; default 5. */
  readonly runs?: number;
}

/**
 * Runs a graph some times and says how long each node took. Updates are applied: a training graph trains.
 *
 * @throws ARGUMENT_INVALID for fewer than 1 run; what compiling and running throw
 * @example console.log(formatProfile(await profile({ backend, graph: createTrainingGraph(model, options), state, feeds, clock: () => performance.now() })));
 */
export async function profile({ backend, graph, state = {}, feeds, clock, runs = 5 }: ProfileOptions): Promise<Profile> {
  if (!Number.isSafeInteger(runs) || runs < 1)
    throw new EspalierError("ARGUMENT_INVALID", `profile: runs must be a whole number from 1, not ${runs}`, { runs });
  const batch = batchOf(graph, feeds);
  const executable = await backend.compile(graph, { state });
  try {
    await executable.run(feeds);
    const start = clock();
    for (let run = 0; run < runs; run += 1) await executable.run(feeds);
    const runMs = (clock() - start) / runs;
    const timelines = await timelinesOf(executable, feeds, runs);
    const base = { graph: graph.name, backend: backend.name, device: backend.device, batch, runMs };
    if (timelines === undefined) return { ...base, rows: undefined, phases: undefined, otherMs: 0, outsideMs: undefined, timeline: [] };
    const kernelsMs = timelines.flat().reduce((sum, { durationMs }) => sum + durationMs, 0) / runs;
    return {
      ...base,
      ...summarize(graph, timelines, batch),
      outsideMs: Math.max(0, runMs - kernelsMs),
      timeline: originsOf(graph, timelines.at(-1) ?? []),
    };
  } finally {
    await executable.dispose();
  }
}

async function timelinesOf(executable: Executable, feeds: Tensors, runs: number): Promise<readonly (readonly KernelTiming[])[] | undefined> {
  if (executable.profile === undefined) return undefined;
  const timelines: (readonly KernelTiming[])[] = [];
  for (let run = 0; run < runs; run += 1) timelines.push(await executable.profile(feeds));
  return timelines;
}

function summarize(
  graph: Graph,
  timelines: readonly (readonly KernelTiming[])[],
  batch: number,
): Pick<Profile, "phases" | "otherMs"> & { readonly rows: readonly ProfileRow[] } {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  const times = new Map<Node, number>();
  let otherMs = 0;
  for (const { node: name, durationMs } of timelines.flat()) {
    const node = originOf(name, nodes);
    if (node === undefined) otherMs += durationMs / timelines.length;
    else times.set(node, (times.get(node) ?? 0) + durationMs / timelines.length);
  }
  const phaseOf = phasesOf(graph);
  const types = { ...graph.values, ...bindBatch(graph, batch).values }; // simplification leaves nodes out, whose values keep their open size
  const sizes = { types, batch };
  const rows = [...times]
    .map(([node, timeMs]): ProfileRow => {
      const { name, operator } = node;
      return { node: name, operator, phase: phaseOf(name), timeMs, bytes: nodeBytes(node, sizes), flops: nodeFlops(node, sizes) };
    })
    .toSorted((a, b) => b.timeMs - a.timeMs);
  const phase = (wanted: Phase): { readonly timeMs: number; readonly bytes: number } => {
    const own = rows.filter((row) => row.phase === wanted);
    return { timeMs: own.reduce((sum, { timeMs }) => sum + timeMs, 0), bytes: own.reduce((sum, { bytes }) => sum + bytes, 0) };
  };
  return { rows, otherMs, phases: { forward: phase("forward"), backward: phase("backward"), update: phase("update") } };
}

function originsOf(graph: Graph, timeline: readonly KernelTiming[]): readonly TimelineEntry[] {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  return timeline.map((timing) => ({ ...timing, origin: originOf(timing.node, nodes)?.name }));
}

/** The graph's node that a kernel stands for: lowerings name theirs `node/...`, backends `node~...`. */
function originOf(name: string, nodes: ReadonlyMap<string, Node>): Node | undefined {
  for (let rest = name.split("~")[0] ?? name; rest !== ""; rest = rest.slice(0, Math.max(0, rest.lastIndexOf("/")))) {
    const node = nodes.get(rest);
    if (node !== undefined) return node;
  }
  return undefined;
}

function nodeBytes({ inputs, outputs }: Node, bound: BoundTypes): number {
  return [...inputs, ...outputs].reduce((sum, name) => sum + valueBytes(name, bound), 0);
}
