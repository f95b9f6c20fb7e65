import { elementCount, toNumbers, type Tensor } from "../tensor.ts";
import { formatShape, type Attribute, type Graph, type Node, type ValueName } from "./graph.ts";

/**
 * A graph as text for people, one line for each thing, in order of execution.
 *
 * @example
 * graph affine
 *   input  x: float32 [batch, 3]
 *   state  w: float32 [3, 2] (parameter)
 *   y: float32 [batch, 2] = MatMul(x, w)
 *   output y = y
 */
export function printGraph(graph: Graph): string {
  const typeOf = (name: ValueName): string => {
    const type = graph.values[name];
    return type ? `${type.dtype} ${formatShape(type.shape)}` : "?";
  };
  const lines = [
    `graph ${graph.name}`,
    ...graph.inputs.map(({ name }) => `input  ${name}: ${typeOf(name)}`),
    ...graph.state.map(({ name, role }) => `state  ${name}: ${typeOf(name)} (${role})`),
    ...Object.entries(graph.constants).map(([name, constant]) => `const  ${name}: ${typeOf(name)} = ${printData(constant)}`),
    ...graph.nodes.map((node) => `${node.outputs.map((output) => `${output}: ${typeOf(output)}`).join(", ")} = ${printCall(node)}`),
    ...Object.entries(graph.outputs).map(([name, value]) => `output ${name} = ${value}`),
    ...Object.entries(graph.updates).map(([state, value]) => `update ${state} <- ${value}`),
  ];
  return lines.join("\n  ");
}

function printCall({ operator, inputs, attributes }: Node): string {
  const options = Object.entries(attributes).map(([name, value]) => `${name}=${printAttribute(value)}`);
  return `${operator}(${[...inputs.map((input) => input || "-"), ...options].join(", ")})`;
}

function printAttribute(value: Attribute): string {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? JSON.stringify(value) : `[${value.join(", ")}]`;
}

function printData(constant: Tensor): string {
  const shown = 8;
  const elements = constant.dtype === "string" ? constant.data.slice(0, shown) : toNumbers({ ...constant, data: constant.data.slice(0, shown) });
  const more = elementCount(constant.shape) > shown ? ", ..." : "";
  return constant.shape.length === 0 ? String(elements[0]) : `[${elements.join(", ")}${more}]`;
}
