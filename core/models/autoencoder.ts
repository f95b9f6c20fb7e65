import { EspalierError } from "../errors.ts";
import { dense, Network } from "../layers/index.ts";
import type { Value } from "../operators/operator.ts";
import type { Model } from "./model.ts";

/** What an autoencoder is made of. */
export interface AutoencoderOptions {
  /** The width of the input `features`. */
  readonly width: number;
  /** Numbers that a row is squeezed into. */
  readonly latent: number;
  /** Units of the encoder's layers; the decoder has them the other way round. */
  readonly hidden?: readonly number[];
  readonly seed?: number;
}

/**
 * An autoencoder: `features` [batch, width] -> `latent` [batch, latent] -> `reconstruction` [batch, width].
 *
 * Train it with its own input as labels: `{ loss: meanSquaredError({ output: "reconstruction" }), labels: "features" }`. A row that it reconstructs badly is unlike the training rows.
 *
 * @throws ARGUMENT_INVALID for a latent that is not smaller than the width
 * @see G. E. Hinton, R. R. Salakhutdinov, Reducing the dimensionality of data with neural networks (2006)
 */
export function autoencoder({ width, latent, hidden = [64, 32], seed = 0 }: AutoencoderOptions): Model {
  checkLatent("autoencoder", { width, latent });
  const network = new Network("autoencoder", { seed });
  const encoded = denseLayers(network, { name: "encoder", sizes: hidden, start: network.input("features", [width]) });
  const code = network.apply(dense({ units: latent, name: "latent" }), encoded);
  const decoded = denseLayers(network, { name: "decoder", sizes: hidden.toReversed(), start: code });
  network.output("latent", code);
  network.output("reconstruction", network.apply(dense({ units: width, name: "reconstruction" }), decoded));
  return network.build({ name: "autoencoder", width, latent, hidden, seed });
}

/** @throws ARGUMENT_INVALID */
export function checkLatent(where: string, { width, latent }: { readonly width: number; readonly latent: number }): void {
  if (Number.isSafeInteger(latent) && latent >= 1 && latent < width) return;
  throw new EspalierError("ARGUMENT_INVALID", `${where}: latent must be a whole number from 1 to below the width ${width}, not ${latent}`, {
    width,
    latent,
  });
}

/** Dense layers with rectifiers, one after the other. */
export function denseLayers(
  network: Network,
  { name, sizes, start }: { readonly name: string; readonly sizes: readonly number[]; readonly start: Value },
): Value {
  return sizes.reduce((x, units, i) => {
    return network.apply(dense({ units, activation: "relu", kernelInitializer: "heNormal", name: `${name}${i + 1}` }), x);
  }, start);
}
