import { dtypeCodes } from "../operators/cast.ts";
import type { Value } from "../operators/operator.ts";
import { tensor, toNumbers, type DType } from "../tensor.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Graph, Node, ValueName } from "./graph.ts";
import { rewrite } from "./rewrite.ts";

/** Operators that only move elements, or change their type. */
const movers: ReadonlySet<string> = new Set(
  "Cast Concat Expand Flatten Gather Identity Reshape Slice Split Squeeze Tile Transpose Unsqueeze".split(" "),
);

/**
 * A graph whose float16 operators compute in float32, between casts, so that each result is rounded once: for backends that move and cast float16, but have few
 * kernels for it. Inputs, state, outputs and updates keep their types.
 */
export function widenFloat16(graph: Graph): Graph {
  if (!Object.values(graph.values).some(({ dtype }) => dtype === "float16")) return graph;
  const known = new Map<ValueName, Value>();
  return rewrite(graph, { node: (builder, node) => writeNode(builder, node, known) });
}

/** @param known float32 forms of float16 values, by their names */
function writeNode(builder: GraphBuilder, node: Node, known: Map<ValueName, Value>): readonly Value[] {
  const inputs = node.inputs.map((name) => (name === "" ? undefined : builder.value(name)));
  if (movers.has(node.operator) || !inputs.some((input) => input?.dtype === "float16")) return builder.addNode(node);
  const types = builder.typesOf(node);
  return builder.scope(node.name, () => {
    const cast = (value: Value, dtype: DType): Value => builder.op("Cast", [value], { to: dtypeCodes[dtype] });
    const wide = (value: Value): Value => {
      const constant = builder.constantOf(value.name); // stays one: rules read scales and ratios while the graph is built
      const found =
        known.get(value.name) ?? (constant ? builder.constant(tensor("float32", constant.shape, toNumbers(constant))) : cast(value, "float32"));
      known.set(value.name, found);
      return found;
    };
    const names = inputs.map((input) => (input === undefined ? "" : (input.dtype === "float16" ? wide(input) : input).name));
    return builder.addNode({ ...node, inputs: names }).map((output, i) => (types[i]?.dtype === "float16" ? cast(output, "float16") : output));
  });
}
