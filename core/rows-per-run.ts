import type { Graph } from "./graph/graph.ts";

/** A token becomes a vector of about so many numbers. */
const numbersOfToken = 64;

/** Rows of one run of a graph when nothing is learned: enough to fill a backend, few enough that the activations of large images and long texts stay small. */
export function rowsPerRun({ inputs }: Pick<Graph, "inputs">): number {
  const values = inputs.reduce((sum, { dtype, shape }) => {
    const size = shape.reduce<number>((product, dimension) => (typeof dimension === "number" ? product * dimension : product), 1);
    return sum + (dtype === "int32" || dtype === "int64" ? size * numbersOfToken : size);
  }, 0);
  return Math.min(1024, Math.max(8, Math.floor(2 ** 20 / Math.max(1, values))));
}
