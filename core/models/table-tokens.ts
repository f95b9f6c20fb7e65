import type { InitializerContext, Layer } from "../layers/index.ts";
import { named, type LayerContext, type LayerName } from "../layers/layer.ts";
import type { Value } from "../operators/operator.ts";
import { elementCount } from "../tensor.ts";
import type { PlacedBlock } from "./table-blocks.ts";

/** What a table's tokens are made of. */
export interface TableTokensOptions extends LayerName {
  readonly blocks: readonly PlacedBlock[];
  readonly width: number;
  /** Whether each token has a bias of its own. Default true. */
  readonly useBias?: boolean;
}

/**
 * One vector for each block of a table: [batch, columns] -> [batch, blocks, width].
 *
 * A block's columns times its matrix: for a number that is the number times a vector, for the one-hot places of a category the look-up of its embedding.
 *
 * @see Y. Gorishniy et al., Revisiting deep learning models for tabular data (2021), section 3.3, https://arxiv.org/abs/2106.11959
 */
export function tableTokens({ blocks, width, useBias = true, ...common }: TableTokensOptions): Layer {
  return {
    kind: "TableTokens",
    ...named(common),
    config: { blocks, width, useBias },
    apply(context, x) {
      const { emit, parameter } = context;
      const limit = 1 / Math.sqrt(width); // as in the paper's code for both kinds of tokens
      const initializer = ({ shape, random }: InitializerContext): Float32Array => random.uniforms(elementCount(shape), { low: -limit, high: limit });
      const tokens = blocks.map((block, i) => {
        const columns = sliceOf(context, x, block); // [batch, block.width]
        const token = emit.op("MatMul", [columns, parameter(`block${i + 1}`, [block.width, width], { initializer })]);
        return emit.op("Unsqueeze", [token, emit.ints([1])]);
      });
      const joined = tokens.length === 1 ? tokens[0]! : emit.op("Concat", tokens, { axis: 1 }); // one at least
      return useBias ? emit.op("Add", [joined, parameter("bias", [blocks.length, width], { initializer })]) : joined;
    },
  };
}

/** A block's columns. @param x [batch, columns] @returns [batch, block.width] */
export function sliceOf({ emit }: Pick<LayerContext, "emit">, x: Value, { start, width }: PlacedBlock): Value {
  if (start === 0 && x.shape[1] === width) return x;
  return emit.op("Slice", [x, emit.ints([start]), emit.ints([start + width]), emit.ints([1])]);
}

/** Several blocks' columns side by side, as a layer. */
export function tableColumns({ blocks, ...common }: { readonly blocks: readonly PlacedBlock[] } & LayerName): Layer {
  return {
    kind: "TableColumns",
    ...named(common),
    config: { blocks },
    apply(context, x) {
      const parts = blocks.map((block) => sliceOf(context, x, block));
      return parts.length === 1 ? parts[0]! : context.emit.op("Concat", parts, { axis: 1 }); // one at least
    },
  };
}
