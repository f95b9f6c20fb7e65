import type { Value } from "../../operators/operator.ts";
import type { AdaptationContext, ImportedNode } from "./adaptation.ts";

/** A node's integer attribute, or what it is when it is left out. */
export function intOf({ attributes }: ImportedNode, name: string, otherwise: number): number {
  const attribute = attributes[name];
  return attribute?.kind === "int" ? attribute.value : otherwise;
}

export function floatOf({ attributes }: ImportedNode, name: string, otherwise: number): number {
  const attribute = attributes[name];
  return attribute?.kind === "float" || attribute?.kind === "int" ? attribute.value : otherwise;
}

export function stringOf({ attributes }: ImportedNode, name: string, otherwise: string): string {
  const attribute = attributes[name];
  return attribute?.kind === "string" ? attribute.value : otherwise;
}

/** A list of integers; undefined when it is left out. */
export function intsOf({ attributes }: ImportedNode, name: string): readonly number[] | undefined {
  const attribute = attributes[name];
  return attribute?.kind === "ints" ? attribute.value : undefined;
}

export function floatsOf({ attributes }: ImportedNode, name: string): readonly number[] | undefined {
  const attribute = attributes[name];
  return attribute?.kind === "floats" ? attribute.value : undefined;
}

/** The node without some of its attributes. */
export function withoutAttributes(node: ImportedNode, ...names: readonly string[]): ImportedNode {
  return { ...node, attributes: Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !names.includes(name))) };
}

/** The node with other inputs. */
export function withInput(node: ImportedNode, index: number, value: Value | undefined): ImportedNode {
  const inputs = Array.from({ length: Math.max(node.inputs.length, index + 1) }, (_, i) => (i === index ? value : node.inputs[i]));
  return { ...node, inputs };
}

/** An input that every form of the operator has. */
export function requiredInput(node: ImportedNode, index: number, { refuse }: AdaptationContext): Value {
  return node.inputs[index] ?? refuse(`input ${index} is required`);
}
