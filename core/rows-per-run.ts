import type { Graph } from "./graph/graph.ts";

/** Rows of one run of a graph when nothing is learned: enough to fill a backend, few enough that the activations of large images stay small. */
export function rowsPerRun({ inputs }: Graph): number {
  const values = inputs.reduce(
    (sum, { shape }) => sum + shape.reduce<number>((product, size) => (typeof size === "number" ? product * size : product), 1),
    0,
  );
  return Math.min(1024, Math.max(8, Math.floor(2 ** 20 / values)));
}
