import type { Value } from "../../operators/operator.ts";
import type { Tensor } from "../../tensor.ts";
import type { OnnxGraph } from "../onnx-model.ts";
import { malformed } from "../protobuf-fields.ts";

/** A tensor of the file, which becomes state or a constant when it is first read. */
export interface StoredTensor {
  readonly tensor: Tensor;
  readonly from: "initializer" | "node";
}

/** What a name stands for; "missing" is the output of an operator that Espalier does not have. */
export type Meaning = Value | StoredTensor | "missing";

/** The names of one graph of the file: the model's, or those of a branch inside those of the graph around it. */
export class Scope {
  readonly #names = new Map<string, Meaning>();
  readonly #stored = new Map<string, StoredTensor>();
  readonly #computed = new Set<string>();
  readonly #around: Scope | undefined;

  constructor(graph: OnnxGraph, around?: Scope) {
    this.#around = around;
    for (const [name, value] of Object.entries(graph.initializers)) this.define(name, { tensor: value, from: "initializer" });
  }

  define(name: string, meaning: Meaning): void {
    this.#names.set(name, meaning);
    if (typeof meaning === "object" && "tensor" in meaning) this.#stored.set(name, meaning);
  }

  /** The output of a node. @throws DATA_MALFORMED when another node of this graph gives a value of that name too */
  compute(name: string, meaning: Meaning): void {
    if (this.#computed.has(name)) malformed(`two nodes give "${name}"`);
    this.#computed.add(name);
    this.define(name, meaning);
  }

  /** The file's tensor of a name, also when it has become a value. */
  stored(name: string): StoredTensor | undefined {
    return this.#names.has(name) ? this.#stored.get(name) : this.#around?.stored(name);
  }

  /** The innermost meaning. @throws DATA_MALFORMED when there is none */
  get(name: string): Meaning {
    return this.#names.get(name) ?? this.#around?.get(name) ?? malformed(`"${name}" is read before it is defined`);
  }

  /** Puts the value that a stored tensor became in its place, where it is defined. */
  replace(name: string, value: Value): void {
    if (this.#names.has(name) || this.#around === undefined) this.#names.set(name, value);
    else this.#around.replace(name, value);
  }
}
