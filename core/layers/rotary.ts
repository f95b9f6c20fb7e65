import { EspalierError } from "../errors.ts";
import type { Emitter, Value } from "../operators/operator.ts";
import { tensor } from "../tensor.ts";
import { checkNumber, checkSize, sizeOf } from "./argument.ts";
import { described, type Layer, type LayerName } from "./layer.ts";

/** How features are turned by their place. */
export interface RotaryOptions {
  /** The longest wavelength is 2 pi times this. Default 10000. */
  readonly maxWavelength?: number;
  /** Places are divided by it. Default 1. */
  readonly scalingFactor?: number;
}

/**
 * Turns pairs of features (i and i + size / 2) of [batch, places, heads * size] by an angle of their place, so that products of two places depend on
 * their distance alone.
 *
 * @param options.heads how many heads lie side by side; default 1
 * @throws ARGUMENT_INVALID; GRAPH_SHAPE when the input is no sequence, or the features of a head are odd
 * @see https://keras.io/keras_hub/api/modeling_layers/rotary_embedding/
 * @see J. Su et al., RoFormer: enhanced transformer with rotary position embedding (2021)
 */
export function rotaryEmbedding({ heads = 1, ...options }: RotaryOptions & { readonly heads?: number } & LayerName = {}): Layer {
  checkSize("rotaryEmbedding", "heads", heads);
  const { maxWavelength, scalingFactor } = checkRotary("rotaryEmbedding", options, 2);
  return {
    ...described("RotaryEmbedding", options, { maxWavelength, scalingFactor, ...(heads > 1 && { heads }) }),
    passesMask: true,
    apply({ emit, fail }, x) {
      const [places, features] = [sizeOf(x, 1), sizeOf(x, 2)];
      if (x.shape.length !== 3 || places === undefined || features === undefined) return fail("takes sequences [batch, places, heads * size]");
      if (features % (2 * heads) !== 0) return fail(`${features} features do not make ${heads} head(s) of an even size`);
      return rotate(emit, x, { maxWavelength, scalingFactor, heads });
    },
  };
}

/** @param size of a head @throws ARGUMENT_INVALID */
export function checkRotary(where: string, { maxWavelength = 10_000, scalingFactor = 1 }: RotaryOptions, size: number): Required<RotaryOptions> {
  checkNumber(where, "maxWavelength", maxWavelength, { above: 0 });
  checkNumber(where, "scalingFactor", scalingFactor, { above: 0 });
  if (size % 2 !== 0)
    throw new EspalierError("ARGUMENT_INVALID", `${where}: rotary turns pairs of features, so a head's size must be even, not ${size}`, { size });
  return { maxWavelength, scalingFactor };
}

/** x [batch, places, heads * size] turned by places from 0. */
export function rotate(
  emit: Emitter,
  x: Value,
  { maxWavelength, scalingFactor, heads }: Required<RotaryOptions> & { readonly heads: number },
): Value {
  const places = Number(x.shape[1]);
  const half = Number(x.shape[2]) / heads / 2;
  const angles = Array.from({ length: places * half }, (_, i) => (Math.floor(i / half) / scalingFactor) * maxWavelength ** (-(i % half) / half));
  const cache = (of: (angle: number) => number): Value => emit.constant(tensor("float32", [1, places, half], angles.map(of)));
  return emit.op("RotaryEmbedding", [x, cache(Math.cos), cache(Math.sin)], { num_heads: heads });
}
