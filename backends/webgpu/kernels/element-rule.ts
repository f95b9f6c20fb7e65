import type { Attributes, Node, Tensor } from "../../../core/index.ts";
import type { Scalar, View } from "../storage.ts";
import type { Shader } from "../wgsl.ts";

/** What a rule sees while one element of its output is written. */
export interface ElementContext {
  readonly node: Node;
  readonly attributes: Attributes;
  readonly shader: Shader;
  /** WGSL: the flat index of the element in the node's own output. */
  readonly index: string;
  /** The node's output. */
  readonly output: Pick<View, "dtype" | "shape"> & { readonly scalar: Scalar };
  readonly inputCount: number;
  /** Type, shape and, when known, contents of an input. */
  readonly input: (index: number) => Pick<View, "dtype" | "shape"> & { readonly scalar: Scalar };
  readonly has: (index: number) => boolean;
  readonly constant: (index: number) => Tensor | undefined;
  /** WGSL: an input's element under broadcasting to the output. Never for indirect inputs. */
  readonly value: (index: number) => string;
  /** WGSL: an indirect input's element at a flat position of its own. */
  readonly at: (index: number, position: string) => string;
  /** Names an intermediate result; returns the name. */
  readonly local: (expression: string) => string;
  /** Adds a statement before the result. */
  readonly statement: (text: string) => void;
  readonly fault: (value: string, describe: (value: number) => string) => string;
  readonly fail: (message: string) => never;
}

/** An operator whose every output element is one expression: what can be fused into one kernel. */
export interface ElementRule {
  /** Inputs that are read at positions of the rule's own choosing. All others are broadcast. */
  readonly indirect?: readonly number[];
  /** Inputs that only the host reads: shapes, axes, pads. */
  readonly host?: readonly number[];
  /** WGSL: the element. */
  readonly write: (context: ElementContext) => string;
}

/** A function of one element, with the WGSL that it needs. */
export function helped(name: string, ...sources: readonly string[]): ElementRule {
  return {
    write({ shader, value }) {
      for (const source of sources) shader.define(source);
      return `${name}(${value(0)})`;
    },
  };
}
