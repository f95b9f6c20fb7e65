import { tensor, type DType, type OnnxAttribute, type OnnxNode, type Tensor } from "../../core/index.ts";

/** What `OnnxEmitter.emit` takes besides operator and inputs. */
export interface EmitOptions {
  /** "" (ai.onnx) by default; "com.microsoft" for ONNX Runtime's own operators. */
  readonly domain?: string;
  /** The number of outputs; 1 by default. */
  readonly outputs?: number;
}

/** Collects the ONNX nodes and initializers of one model. Unlike core's graphs it knows ONNX Runtime's own operators. */
export class OnnxEmitter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: Record<string, Tensor> = {};
  /** Domains in use. */
  readonly domains: Set<string> = new Set([""]);
  /** What `once` emitted, by what it is. */
  readonly #known = new Map<string, string>();
  #prefix = "";
  #count = 0;

  /** Names of what is emitted next start with this node's, so that ONNX Runtime's errors speak of it. */
  enter(node: string): void {
    this.#prefix = node;
  }

  /** Adds a node and returns the name of its first output. */
  emit(operator: string, inputs: readonly string[], attributes?: Readonly<Record<string, OnnxAttribute>>, options?: EmitOptions): string {
    return this.emitAll(operator, inputs, attributes, options)[0] ?? "";
  }

  /** Adds a node and returns the names of all outputs. */
  emitAll(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    { domain = "", outputs = 1 }: EmitOptions = {},
  ): readonly string[] {
    const name = this.#fresh(operator);
    const names = Array.from({ length: outputs }, (_, i) => (i === 0 ? name : `${name}:${i}`));
    this.add({ name, operator, domain, inputs, outputs: names, attributes });
    return names;
  }

  /** What several nodes need is emitted by the first: the name that `make` returned when it was called for this key. */
  once(key: string, make: () => string): string {
    const known = this.#known.get(key) ?? make();
    this.#known.set(key, known);
    return known;
  }

  /** Adds a node as it is. */
  add(node: OnnxNode): void {
    this.domains.add(node.domain);
    this.nodes.push(node);
  }

  constant(value: Tensor): string {
    const name = this.#fresh("constant");
    this.initializers[name] = value;
    return name;
  }

  /** A one-dimensional int64 constant. */
  ints(values: readonly number[]): string {
    return this.constant(tensor("int64", [values.length], values));
  }

  /** A scalar constant. */
  scalar(value: number, dtype: DType): string {
    return this.constant(tensor(dtype, [], [value]));
  }

  #fresh(what: string): string {
    this.#count += 1;
    return `${this.#prefix}~${what}_${this.#count}`; // "~" keeps apart from the names of the graph's values
  }
}

/** An integer attribute. */
export function int(value: number): OnnxAttribute {
  return { kind: "int", value };
}

/** A list of integers as an attribute. */
export function ints(value: readonly number[]): OnnxAttribute {
  return { kind: "ints", value };
}

/** A string attribute. */
export function text(value: string): OnnxAttribute {
  return { kind: "string", value };
}
