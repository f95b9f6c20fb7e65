import { EspalierError } from "../errors.ts";
import { elementCount } from "../tensor.ts";
import { checkNumberList, checkSize, featureSizes } from "./argument.ts";
import { checkDataFormat, type DataFormat } from "./data-format.ts";
import { described, type Layer, type LayerName } from "./layer.ts";

/**
 * One row of numbers for each example: [batch, ...sizes] -> [batch, product of sizes].
 *
 * @param options.dataFormat default "channels_last": the elements as they lie, whatever they are; "channels_first" brings the channels to the end
 *   first, as Keras's Flatten does when told so
 * @see https://keras.io/api/layers/reshaping_layers/flatten/
 */
export function flatten({ dataFormat = "channels_last", ...common }: { readonly dataFormat?: DataFormat } & LayerName = {}): Layer {
  checkDataFormat("flatten", dataFormat);
  return {
    ...described("Flatten", common, { dataFormat }),
    apply({ emit }, x) {
      if (x.shape.length === 1) return emit.op("Unsqueeze", [x, emit.ints([1])]);
      const moves = dataFormat === "channels_first" && x.shape.length > 2;
      const perm = [0, ...[...x.shape.keys()].slice(2), 1];
      return emit.op("Flatten", [moves ? emit.op("Transpose", [x], { perm }) : x], { axis: 1 });
    },
  };
}

/**
 * Another shape for each example: [batch, ...sizes] -> [batch, ...targetShape].
 *
 * @param options.targetShape without the batch dimension; one size may be -1: what is left
 * @throws ARGUMENT_INVALID for what is no list; GRAPH_SHAPE when the element counts differ
 * @see https://keras.io/api/layers/reshaping_layers/reshape/
 */
export function reshape({ targetShape, ...common }: { readonly targetShape: readonly number[] } & LayerName): Layer {
  checkNumberList("reshape", "targetShape", targetShape, "[4, -1]");
  return {
    ...described("Reshape", common, { targetShape }),
    apply({ emit, fail }, x) {
      const elements = elementCount(featureSizes(x) ?? fail("only the first dimension may be the batch"));
      const rest = elements / elementCount(targetShape.filter((size) => size !== -1));
      const sizes = targetShape.map((size) => (size === -1 ? rest : size));
      const wholes = sizes.every((size) => Number.isSafeInteger(size) && size >= 1);
      if (targetShape.filter((size) => size === -1).length > 1 || !wholes || elementCount(sizes) !== elements) {
        return fail(`${elements} elements a row cannot take the shape [${targetShape.join(", ")}]`);
      }
      return emit.op("Reshape", [x, emit.ints([-1, ...sizes])]);
    },
  };
}

/**
 * Each example's dimensions in another order: [batch, a, b] with dims [2, 1] -> [batch, b, a].
 *
 * @param options.dims which dimension comes where, counted from 1 behind the batch
 * @throws ARGUMENT_INVALID unless it names each once; GRAPH_SHAPE when the input has another number of dimensions
 * @see https://keras.io/api/layers/reshaping_layers/permute/
 */
export function permute({ dims, ...common }: { readonly dims: readonly number[] } & LayerName): Layer {
  checkNumberList("permute", "dims", dims, "[2, 1]");
  if (!dims.every((_, i) => dims.includes(i + 1))) {
    throw new EspalierError("ARGUMENT_INVALID", `permute: dims must name each of 1 to ${dims.length} once, not [${dims.join(", ")}]`, { dims });
  }
  return {
    ...described("Permute", common, { dims }),
    apply({ emit, fail }, x) {
      if (x.shape.length !== dims.length + 1) return fail(`dims [${dims.join(", ")}] are for inputs with ${dims.length} dimensions after the batch`);
      return emit.op("Transpose", [x], { perm: [0, ...dims] });
    },
  };
}

/**
 * Each example n times, as steps: [batch, features] -> [batch, n, features].
 *
 * @throws ARGUMENT_INVALID; GRAPH_SHAPE when the input is not [batch, features]
 * @see https://keras.io/api/layers/reshaping_layers/repeat_vector/
 */
export function repeatVector({ n, ...common }: { readonly n: number } & LayerName): Layer {
  checkSize("repeatVector", "n", n);
  return {
    ...described("RepeatVector", common, { n }),
    apply({ emit, fail }, x) {
      if (x.shape.length !== 2) return fail("takes [batch, features]");
      return emit.op("Expand", [emit.op("Unsqueeze", [x, emit.ints([1])]), emit.ints([1, n, 1])]);
    },
  };
}

/** The input as it is. @see https://keras.io/api/layers/core_layers/identity/ */
export function identity(common: LayerName = {}): Layer {
  return { ...described("Identity", common, {}), passesMask: true, placewise: true, apply: ({ emit }, x) => emit.op("Identity", [x]) };
}
