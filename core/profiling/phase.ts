import type { Graph } from "../graph/graph.ts";

/** The parts of a training step. */
export type Phase = "forward" | "backward" | "update";

/** The scope in which `differentiate` writes. */
const gradientScope = "gradient/";

/**
 * Which part of a training step a node belongs to: what stands before the first gradient is forward, gradients are backward, and what else follows them updates
 * the parameters. A graph without gradients is all forward, or all update when its name says so.
 *
 * @returns the phase of a node by its name; what a lowering wrote in a node's place, `name/Mul`, belongs where the node did
 */
export function phasesOf(graph: Graph): (node: string) => Phase {
  const indices = new Map(graph.nodes.map(({ name }, index) => [name, index]));
  const firstGradient = graph.nodes.findIndex(({ name }) => name.startsWith(gradientScope));
  const whole: Phase = graph.name.endsWith("/update") ? "update" : "forward";
  return (node) => {
    if (firstGradient < 0) return whole;
    if (node.startsWith(gradientScope)) return "backward";
    for (let name = node; name !== ""; name = name.slice(0, Math.max(0, name.lastIndexOf("/")))) {
      const index = indices.get(name);
      if (index !== undefined) return index < firstGradient ? "forward" : "update";
    }
    return "forward";
  };
}
