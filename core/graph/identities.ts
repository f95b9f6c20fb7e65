import { readAttributes } from "../operators/attributes.ts";
import { findOperator } from "../operators/index.ts";
import { sameShape, type Value } from "../operators/operator.ts";
import { elementCount, toNumbers, type Tensor } from "../tensor.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Node, ValueName, ValueType } from "./graph.ts";
import { paddedConv } from "./padded-conv.ts";

/** What a rule sees of the graph that is being written. */
export interface IdentityContext {
  readonly builder: GraphBuilder;
  /** The node that defined a value, when a node did. */
  readonly producer: (name: ValueName) => Node | undefined;
}

/**
 * The value that a node would only repeat, or a node that does the same with less: x * 1, Transpose of Transpose, Reshape of Reshape ...
 *
 * @param type what the node would give
 * @returns undefined when the node is needed as it is
 */
export function withoutNode(context: IdentityContext, node: Node, type: ValueType): Value | undefined {
  const { builder } = context;
  const inputs = node.inputs.map((name) => (name === "" ? undefined : builder.value(name)));
  const [x, second] = inputs;
  if (x === undefined || node.outputs.length !== 1) return undefined;
  const same = (value: Value): Value | undefined => (value.dtype === type.dtype && sameShape(value.shape, type.shape) ? value : undefined);
  switch (node.operator) {
    case "Identity":
      return x;
    case "Cast":
    case "Expand":
      return same(x);
    case "Max":
    case "Min":
    case "Concat":
      return inputs.length === 1 ? x : undefined;
    case "Add":
      return second && ((isAll(builder, second, 0) ? same(x) : undefined) ?? (isAll(builder, x, 0) ? same(second) : undefined));
    case "Mul":
      return second && ((isAll(builder, second, 1) ? same(x) : undefined) ?? (isAll(builder, x, 1) ? same(second) : undefined));
    case "Sub":
      return second && isAll(builder, second, 0) ? same(x) : undefined;
    case "Div":
    case "Pow":
      return second && isAll(builder, second, 1) ? same(x) : undefined;
    case "Neg":
    case "Not":
      return repeated(context, node, x);
    case "Where":
      return chosenBranch(builder, inputs, same);
    case "Reshape":
    case "Flatten":
    case "Squeeze":
    case "Unsqueeze":
      return same(x) ?? reshapeOfView(context, x, type);
    case "Conv":
      return paddedConv(context, node);
    case "Transpose":
      return transposeOf(context, node, x);
    case "Slice":
      return stepsAreForward(builder, inputs[4]) ? same(x) : undefined;
    case "Pad":
      return second && isAll(builder, second, 0) ? same(x) : undefined;
    case "ReduceSum":
    case "ReduceMean":
    case "ReduceMax":
    case "ReduceMin":
      return same(x); // every axis that is reduced has size 1
    default:
      return undefined;
  }
}

/** Whether every element of a small constant is this number. */
function isAll(builder: GraphBuilder, value: Value, number: number): boolean {
  const constant = smallConstant(builder, value);
  return constant !== undefined && elementCount(constant.shape) > 0 && toNumbers(constant).every((element) => element === number);
}

function smallConstant(builder: GraphBuilder, { name, dtype }: Value): Tensor | undefined {
  const constant = builder.constantOf(name);
  return constant && dtype !== "string" && elementCount(constant.shape) <= 1024 ? constant : undefined;
}

/** -(-x), not(not x). */
function repeated({ builder, producer }: IdentityContext, node: Node, x: Value): Value | undefined {
  const before = producer(x.name);
  return before?.operator === node.operator ? builder.value(before.inputs[0] ?? "") : undefined;
}

function chosenBranch(
  builder: GraphBuilder,
  [condition, a, b]: readonly (Value | undefined)[],
  same: (value: Value) => Value | undefined,
): Value | undefined {
  if (condition === undefined || a === undefined || b === undefined) return undefined;
  if (isAll(builder, condition, 1)) return same(a);
  return isAll(builder, condition, 0) ? same(b) : undefined;
}

const views: ReadonlySet<string> = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze"]);

/** A view of a view is one Reshape, or nothing at all. */
function reshapeOfView({ builder, producer }: IdentityContext, x: Value, type: ValueType): Value | undefined {
  const before = producer(x.name);
  if (before === undefined || !views.has(before.operator)) return undefined;
  const source = builder.value(before.inputs[0] ?? "");
  if (sameShape(source.shape, type.shape)) return source;
  if (type.shape.filter((size) => size === "batch").length > 1 || type.shape.includes(0)) return undefined;
  return builder.op("Reshape", [source, builder.ints(type.shape.map((size) => (size === "batch" ? -1 : size)))]);
}

function transposeOf({ builder, producer }: IdentityContext, node: Node, x: Value): Value | undefined {
  const perm = permutation(node, x.shape.length);
  if (perm.every((axis, i) => axis === i)) return x;
  const before = producer(x.name);
  if (before?.operator !== "Transpose") return undefined;
  const source = builder.value(before.inputs[0] ?? "");
  const first = permutation(before, x.shape.length);
  const both = perm.map((axis) => first[axis] ?? axis);
  return both.every((axis, i) => axis === i) ? source : builder.op("Transpose", [source], { perm: both });
}

function permutation(node: Node, rank: number): readonly number[] {
  const operator = findOperator("Transpose");
  const attributes = operator && readAttributes(operator, node.name, node.attributes);
  return attributes?.has("perm") ? attributes.ints("perm") : Array.from({ length: rank }, (_, i) => rank - 1 - i);
}

/** A slice of the input's own shape is the input, unless it runs backwards. */
function stepsAreForward(builder: GraphBuilder, steps: Value | undefined): boolean {
  return steps === undefined || (builder.dimensionsOf(steps.name) ?? [-1]).every((step) => step !== "batch" && step > 0);
}
