import { elementCount, tensor, type Tensor } from "../tensor.ts";
import { isFloat } from "../operators/shapes.ts";
import type { GraphBuilder } from "./builder.ts";
import { fold } from "./fold.ts";
import type { Node, ValueType } from "./graph.ts";

/**
 * What a node of one output always gives, when that follows from constants and shapes: the arithmetic of sizes.
 *
 * @param node not yet in the builder; its inputs are
 * @param type what the node would give
 */
export function constantOf(builder: GraphBuilder, node: Node, type: ValueType): Tensor | undefined {
  const inputs = node.inputs.map((name) => builder.constantOf(name));
  return fold(node, inputs, type) ?? knownContents(builder, node, type);
}

/** An output whose contents follow from shapes and do not hold the batch size. */
function knownContents(builder: GraphBuilder, node: Node, type: ValueType): Tensor | undefined {
  const contents = builder.contentsOf(node)?.filter((size) => size !== "batch");
  const shape = type.shape.filter((size) => size !== "batch");
  const isWhole = contents !== undefined && shape.length === type.shape.length && contents.length === elementCount(shape);
  if (!isWhole || type.dtype === "string" || type.dtype === "uint8") return undefined;
  const isExact = isFloat(type.dtype) || contents.every((size) => Number.isSafeInteger(size));
  return isExact ? tensor(type.dtype, shape, contents) : undefined;
}
