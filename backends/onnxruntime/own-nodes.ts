import type { OnnxNode } from "../../core/index.ts";
import type { KernelCall } from "./kernels/compile.ts";
import type { ProductCall } from "./machine/compile.ts";
import { customOperator, productOperator } from "./native/custom-operators.ts";
import { int, type OnnxEmitter } from "./onnx-emitter.ts";

/** What a model's own nodes compute, by their attribute. */
export interface OwnCalls {
  /** By kernels in WebAssembly: the attribute `kernel`. */
  readonly calls: readonly KernelCall[];
  /** By machine code: the attribute `product`. */
  readonly products: readonly ProductCall[];
}

/** Writes nodes of our own into a model and keeps what they compute. */
export class OwnNodes {
  readonly #emit: OnnxEmitter;
  readonly #calls: KernelCall[] = [];
  readonly #products: ProductCall[] = [];

  constructor(emit: OnnxEmitter) {
    this.#emit = emit;
  }

  /** @returns the names of its outputs */
  kernel(call: KernelCall, inputs: readonly string[]): readonly string[] {
    const { operator, domain } = customOperator;
    const number = this.#calls.push(call) - 1;
    return this.#emit.emitAll(operator, inputs, { kernel: int(number) }, { domain, outputs: call.outputs.length });
  }

  /** @returns the name of its output */
  product(call: ProductCall, inputs: readonly string[]): string {
    const { operator, domain } = productOperator;
    const number = this.#products.push(call) - 1;
    return this.#emit.emit(operator, inputs, { product: int(number) }, { domain });
  }

  /** The nodes that are left of a model, numbered anew, and what they compute. */
  numbered(nodes: readonly OnnxNode[]): OwnCalls & { readonly nodes: readonly OnnxNode[] } {
    const [calls, products]: [KernelCall[], ProductCall[]] = [[], []];
    const renumbered = nodes.map((node) => {
      if (node.domain !== customOperator.domain) return node;
      const isKernel = node.operator === customOperator.operator;
      const attribute = isKernel ? "kernel" : "product";
      const number = node.attributes[attribute];
      const at = number?.kind === "int" ? number.value : -1;
      const count = isKernel ? move(this.#calls, at, calls) : move(this.#products, at, products);
      return { ...node, attributes: { ...node.attributes, [attribute]: int(count - 1) } };
    });
    return { nodes: renumbered, calls, products };
  }
}

function move<T>(from: readonly T[], at: number, to: T[]): number {
  return to.push(...from.slice(at, at + 1));
}
