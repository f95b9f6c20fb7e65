import { concatenate, dense, Network, type Layer } from "../layers/index.ts";
import { named, type LayerName } from "../layers/layer.ts";
import { zerosLike } from "../operators/gradients.ts";
import { checkLatent, denseLayers, type AutoencoderOptions } from "./autoencoder.ts";
import type { Model } from "./model.ts";

/**
 * A variational autoencoder: `features` [batch, width] -> a normal distribution over `latent` numbers -> `reconstruction` [batch, width].
 *
 * Outputs: `reconstruction`, and `latent` [batch, 2 latent]: the means, then the logarithms of the variances. In training the decoder gets a draw from the distribution, in
 * prediction its mean. Train it with two losses, both with the input as labels:
 * `[{ loss: meanSquaredError({ output: "reconstruction" }), labels: "features" }, { loss: gaussianKlDivergence(), labels: "features", weight: 0.01 }]`.
 *
 * @throws ARGUMENT_INVALID for a latent that is not smaller than the width
 * @see D. P. Kingma, M. Welling, Auto-encoding variational Bayes (2014), https://arxiv.org/abs/1312.6114
 */
export function variationalAutoencoder({ width, latent, hidden = [64, 32], seed = 0 }: AutoencoderOptions): Model {
  checkLatent("variationalAutoencoder", { width, latent });
  const network = new Network("variational-autoencoder", { seed });
  const encoded = denseLayers(network, { name: "encoder", sizes: hidden, start: network.input("features", [width]) });
  const mean = network.apply(dense({ units: latent, name: "mean" }), encoded);
  const logVariance = network.apply(dense({ units: latent, kernelInitializer: "zeros", name: "log_variance" }), encoded);
  const drawn = network.apply(normalDraw({ name: "draw" }), mean, logVariance);
  const decoded = denseLayers(network, { name: "decoder", sizes: hidden.toReversed(), start: drawn });
  network.output("reconstruction", network.apply(dense({ units: width, name: "reconstruction" }), decoded));
  network.output("latent", network.apply(concatenate({ name: "latent" }), mean, logVariance));
  return network.build({ name: "variational-autoencoder", width, latent, hidden, seed });
}

/** mean + e^(logVariance / 2) noise in training, the mean when predicting: two of [batch, latent] -> [batch, latent]. */
function normalDraw(common: LayerName): Layer {
  return {
    kind: "NormalDraw",
    ...named(common),
    config: {},
    merges: true,
    apply({ emit, fail }, mean, logVariance) {
      if (logVariance === undefined) return fail("takes means and logarithms of variances");
      const noise = emit.op("GaussianNoise", [zerosLike(emit, mean)], { stddev: 1 });
      const deviation = emit.op("Exp", [emit.op("Mul", [logVariance, emit.scalar(0.5, mean.dtype)])]);
      return emit.op("Add", [mean, emit.op("Mul", [deviation, noise])]);
    },
  };
}
