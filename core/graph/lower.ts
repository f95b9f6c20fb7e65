import { EspalierError } from "../errors.ts";
import { readAttributes } from "../operators/attributes.ts";
import { findOperator } from "../operators/index.ts";
import type { Attributes, Emitter, Operator, Value } from "../operators/operator.ts";
import type { DType, Tensor } from "../tensor.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Attribute, Graph, Node, ValueType } from "./graph.ts";
import { rewrite } from "./rewrite.ts";

/** One use of an operator, as a backend sees it when it is asked for a kernel. */
export interface OperatorUse {
  /** With defaults. */
  readonly attributes: Attributes;
  /** Undefined where an optional input is left out. */
  readonly inputs: readonly (ValueType | undefined)[];
  /** How many outputs the node names. */
  readonly outputs: number;
}

/** Whether a backend has a kernel for an operator, used in this way. */
export type Supports = (operator: string, use: OperatorUse) => boolean;

/**
 * Rewrites every operator that a backend lacks into operators that it has, as deep as lowerings go.
 *
 * @param supports whether the backend has a kernel for an operator; a backend that has one for some attributes, types or ranks only looks at the use
 * @throws BACKEND_OPERATOR_MISSING naming all operators that can be neither run nor lowered
 */
export function lower(graph: Graph, supports: Supports): Graph {
  if (supportsAll(graph, supports)) return graph;
  const missing = new Map<string, string>();
  const lowered = rewrite(graph, {
    node(builder, node) {
      if (has(supports, node, (name) => builder.value(name))) return builder.addNode(node);
      return builder.scope(node.name, () => lowerNode(builder, node, { supports, missing }));
    },
  });
  if (missing.size === 0) return lowered;
  const list = [...missing].map(([operator, node]) => `${operator} (node ${node})`).join(", ");
  throw new EspalierError(
    "BACKEND_OPERATOR_MISSING",
    `graph "${graph.name}" needs operators that the backend has not and that have no lowering to what it has: ${list}`,
    {
      operators: [...missing.keys()],
    },
  );
}

/** Whether a backend has a kernel for every node as it is. */
export function supportsAll(graph: Graph, supports: Supports): boolean {
  return graph.nodes.every((node) => has(supports, node, (name) => graph.values[name]));
}

function has(supports: Supports, node: Node, typeOf: (name: string) => ValueType | undefined): boolean {
  const operator = findOperator(node.operator);
  if (operator === undefined) return false;
  return supports(node.operator, {
    attributes: readAttributes(operator, node.name, node.attributes),
    inputs: node.inputs.map((name) => (name === "" ? undefined : typeOf(name))),
    outputs: node.outputs.length,
  });
}

interface Lowering {
  readonly supports: Supports;
  /** Operator to the first node that wants it. */
  readonly missing: Map<string, string>;
}

function lowerNode(builder: GraphBuilder, node: Node, lowering: Lowering): readonly Value[] {
  const operator = findOperator(node.operator);
  if (operator?.lower === undefined) {
    if (!lowering.missing.has(node.operator)) lowering.missing.set(node.operator, node.name);
    return builder.addNode(node); // so that the search for what is missing goes on
  }
  const inputs = node.inputs.map((name) => (name === "" ? undefined : builder.value(name)));
  const outputTypes = builder.typesOf(node);
  return operator.lower({
    emit: loweringEmitter(builder, lowering),
    inputs,
    outputTypes,
    attributes: readAttributes(operator, node.name, node.attributes),
    input: (index) => inputs[index] ?? missingInput(operator, node, index),
    constant: (index) => builder.constantOf(node.inputs[index] ?? ""),
  });
}

/** An emitter whose operators are lowered in their turn. */
function loweringEmitter(builder: GraphBuilder, lowering: Lowering): Emitter {
  const ops = (
    operator: string,
    inputs: readonly (Value | undefined)[],
    count: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): readonly Value[] => {
    const name = builder.freshName(operator);
    const node: Node = {
      name,
      operator,
      inputs: inputs.slice(0, inputs.findLastIndex((input) => input !== undefined) + 1).map((input) => input?.name ?? ""),
      outputs: Array.from({ length: count }, (_, i) => (i === 0 ? name : `${name}:${i}`)),
      attributes,
    };
    return has(lowering.supports, node, (value) => builder.value(value)) ? builder.addNode(node) : lowerNode(builder, node, lowering);
  };
  return {
    ops,
    op: (operator, inputs, attributes) => ops(operator, inputs, 1, attributes)[0] as Value, // one output was asked for
    constant: (value: Tensor) => builder.constant(value),
    scalar: (value: number, dtype: DType) => builder.scalar(value, dtype),
    ints: (values) => builder.ints(values),
  };
}

function missingInput(operator: Operator, node: Node, index: number): never {
  throw new EspalierError("GRAPH_INVALID", `${node.name} (${operator.name}): input ${index} is required`, { node: node.name });
}
