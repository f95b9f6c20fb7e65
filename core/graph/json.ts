import type { Tensor } from "../tensor.ts";
import { encodeBase64 } from "./base64.ts";
import type { Attribute, Dimension, Graph, RandomFeed } from "./graph.ts";

/** An attribute in JSON: numbers that JSON has not are the strings "NaN", "Infinity" and "-Infinity". */
export type AttributeJson = string | number | readonly (string | number)[];

/** A constant in JSON: little-endian bytes in base64, strings as they are. */
export interface ConstantJson {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: string | readonly string[];
}

/** A graph as JSON. Types of inner values are left out: whoever reads it infers them again. */
export interface GraphJson {
  readonly name: string;
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly Dimension[];
    readonly random?: RandomFeed;
  }[];
  readonly state: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly number[]; readonly role: string }[];
  readonly constants: readonly ConstantJson[];
  readonly nodes: readonly {
    readonly name: string;
    readonly operator: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly attributes: Readonly<Record<string, AttributeJson>>;
  }[];
  readonly outputs: readonly (readonly [name: string, value: string])[];
  readonly updates: readonly (readonly [state: string, value: string])[];
}

/** A graph as plain JSON data; `graphFromJson` reads it. */
export function graphToJson(graph: Graph): GraphJson {
  return {
    name: graph.name,
    inputs: graph.inputs.map(({ name, dtype, shape, random }) => ({ name, dtype, shape, ...(random && { random }) })),
    state: graph.state.map(({ name, dtype, shape, role }) => ({ name, dtype, shape, role })),
    constants: Object.entries(graph.constants).map(([name, constant]) => ({
      name,
      dtype: constant.dtype,
      shape: constant.shape,
      data: dataToJson(constant),
    })),
    nodes: graph.nodes.map(({ name, operator, inputs, outputs, attributes }) => ({
      name,
      operator,
      inputs,
      outputs,
      attributes: Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, attributeToJson(value)])),
    })),
    outputs: Object.entries(graph.outputs),
    updates: Object.entries(graph.updates),
  };
}

/** An attribute with every number written so that JSON keeps it. */
export function attributeToJson(value: Attribute): AttributeJson {
  if (typeof value === "number") return numberToJson(value);
  if (typeof value === "string") return value;
  return value.map((item) => (typeof item === "number" ? numberToJson(item) : item));
}

function numberToJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

function dataToJson({ data }: Tensor): string | readonly string[] {
  if (!ArrayBuffer.isView(data)) return data;
  return encodeBase64(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}
