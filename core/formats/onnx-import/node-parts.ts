import { EspalierError } from "../../errors.ts";
import type { Attribute, Node, ValueType } from "../../graph/graph.ts";
import { symbolicCount } from "../../operators/shapes.ts";
import { scalar, tensor, type Tensor } from "../../tensor.ts";
import type { OnnxAttribute, OnnxNode } from "../onnx-model.ts";
import { malformed } from "../protobuf-fields.ts";

/** Tensors of more dimensions or elements are nobody's model; rules and planners would spend their time on them. */
const maxRank = 32;
const maxElements = 2 ** 40;

/** A node as errors call it. */
export function describeNode({ name, operator, outputs }: Pick<OnnxNode, "name" | "operator" | "outputs">): string {
  return `node "${name === "" ? (outputs[0] ?? "") : name}" (${operator})`;
}

/** @throws FORMAT_UNSUPPORTED naming the node */
export function refuseNode(node: Pick<OnnxNode, "name" | "operator" | "outputs">, message: string): never {
  throw new EspalierError("FORMAT_UNSUPPORTED", `importOnnx: ${describeNode(node)}: ${message}`, { node: node.name, operator: node.operator });
}

/** The tensor of a Constant node in any of its forms. */
export function constantTensor(node: OnnxNode): Tensor {
  const [attribute] = Object.values(node.attributes);
  switch (attribute?.kind) {
    case "tensor":
      return attribute.value;
    case "float":
      return scalar(attribute.value, "float32");
    case "int":
      return scalar(attribute.value, "int64");
    case "string":
      return tensor("string", [], [attribute.value]);
    case "floats":
      return tensor("float32", [attribute.value.length], attribute.value);
    case "ints":
      return tensor("int64", [attribute.value.length], attribute.value);
    case "strings":
      return tensor("string", [attribute.value.length], attribute.value);
    case "graph":
    case undefined:
      return malformed(`${describeNode(node)} has no value`);
    default:
      return attribute satisfies never;
  }
}

/** Attributes as graphs have them. @throws FORMAT_UNSUPPORTED for tensors and graphs */
export function plainAttributes(node: OnnxNode, attributes: Readonly<Record<string, OnnxAttribute>>): Readonly<Record<string, Attribute>> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { kind, value }]) => {
      if (kind === "tensor" || kind === "graph") return refuseNode(node, `attribute "${name}" is a ${kind}, which is not read`);
      return [name, value];
    }),
  );
}

/** @throws FORMAT_UNSUPPORTED when a value is larger than any model's */
export function checkSize(node: Node, { shape }: ValueType): void {
  const { count } = symbolicCount(shape);
  if (shape.length <= maxRank && count <= maxElements) return;
  refuseNode(node, `its tensor of ${shape.length} dimensions and ${count} elements is too large; at most ${maxRank} and ${maxElements} are read`);
}
