import { dense, globalAveragePooling1D, layerNormalization, Network, tokenAndPositionEmbedding, transformerBlock } from "../../core/index.ts";
import { classes, type Subject } from "./subject.ts";

const [vocabulary, length, width, layers] = [1000, 128, 256, 4];

/** A transformer's encoder over tokens, normalised before its branches, and a classifier of their mean; no padding, no dropout. */
export const encoder: Subject = {
  name: "Encoder 4 x 256, 128 tokens, b16",
  batch: 16,
  row: [length],
  vocabulary,
  build() {
    const network = new Network("encoder", { seed: 1 });
    const tokens = network.input("x", [length], { dtype: "int32" });
    const embedding = tokenAndPositionEmbedding({ vocabularySize: vocabulary, sequenceLength: length, embeddingDim: width, name: "embedding" });
    let x = network.apply(embedding, tokens);
    for (let i = 1; i <= layers; i += 1) x = network.apply(transformerBlock({ heads: 4, name: `block${i}` }), x);
    x = network.apply(layerNormalization({ epsilon: 1e-5, name: "norm" }), x);
    x = network.apply(globalAveragePooling1D({ dataFormat: "channels_last", name: "pool" }), x);
    network.output("logits", network.apply(dense({ units: classes, name: "head" }), x));
    return network.build();
  },
  pytorch: "encoder",
  learningRate: 1e-4,
  repeats: 1,
  rounds: 11,
};
