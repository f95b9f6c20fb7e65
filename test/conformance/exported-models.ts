import { readFile } from "node:fs/promises";
import {
  autoencoder,
  causalLanguageModel,
  convNet,
  deepAveraging,
  dlrm,
  fromKerasConfig,
  ftTransformer,
  linear,
  mlp,
  mobileNetV2,
  nBeats,
  recurrentForecaster,
  resNet,
  tabTransformer,
  temporalConvolution,
  tensor,
  textEncoder,
  textTransformer,
  twoTower,
  uNet,
  variationalAutoencoder,
  visionTransformer,
  wideAndDeep,
  withKerasWeights,
  type DType,
  type Head,
  type Model,
  type TableBlock,
  type Tensor,
} from "../../core/index.ts";

interface Packed {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface KerasCase {
  readonly name: string;
  readonly model: unknown;
  readonly weights: Readonly<Record<string, readonly Packed[]>>;
}

const head: Head = { task: "classification", classes: 4 };
const image = { shape: [3, 8, 8], head } as const;
const texts = [{ input: "tokens", vocabulary: 20, maxLength: 6 }];
const forecast = { window: 12, features: 2, horizon: 3, seed: 1 };
const blocks: readonly TableBlock[] = [
  { kind: "number", width: 1 },
  { kind: "category", width: 4 },
  { kind: "number", width: 2 },
];

/** Every ready network, small. */
const networks: Readonly<Record<string, () => Model>> = {
  linear: () => linear({ width: 5, head }),
  mlp: () => mlp({ width: 5, head }),
  "convolutional network": () => convNet(image),
  "ResNet-18": () => resNet({ ...image, depth: 18 }),
  MobileNetV2: () => mobileNetV2({ shape: [3, 16, 16], head, alpha: 0.35 }),
  "vision transformer": () => visionTransformer({ ...image, patch: 4, width: 12, layers: 1, heads: 3 }),
  "U-Net": () => uNet({ shape: [1, 16, 12], head, filters: 2, depth: 2 }),
  "wide and deep": () => wideAndDeep({ blocks, head, width: 4, hidden: [16] }),
  TabTransformer: () => tabTransformer({ blocks, head, width: 8, layers: 1, heads: 2, hidden: [16] }),
  "FT-Transformer": () => ftTransformer({ blocks, head, width: 16, layers: 1, heads: 2 }),
  DLRM: () => dlrm({ numbers: 2, categories: [3, 3], head, width: 4, bottom: [8], top: [8] }),
  "two towers": () => twoTower({ query: 3, candidate: 5, width: 4 }),
  TCN: () => temporalConvolution({ ...forecast, filters: 8 }),
  LSTM: () => recurrentForecaster({ ...forecast, units: [8, 6] }),
  GRU: () => recurrentForecaster({ ...forecast, cell: "gru", units: [8] }),
  "N-BEATS": () => nBeats({ ...forecast, features: 1, hidden: 16, blocks: 1, stacks: ["trend", "seasonality"] }),
  "text transformer": () => textTransformer({ texts, head, width: 16, layers: 1, heads: 2 }),
  "text encoder": () => textEncoder({ input: "tokens", vocabulary: 20, maxLength: 6, width: 8, layers: 1, heads: 2 }),
  "causal language model": () => causalLanguageModel({ vocabulary: 20, length: 6, width: 8, layers: 1, heads: 2 }),
  "deep averaging": () => deepAveraging({ texts, head }),
  autoencoder: () => autoencoder({ width: 6, latent: 2, hidden: [8] }),
  "variational autoencoder": () => variationalAutoencoder({ width: 6, latent: 2, hidden: [8] }),
};

/** Every ready network, and the models of one or a few layers that Keras wrote: each layer in each of its forms. */
export async function exportedModels(): Promise<ReadonlyMap<string, Model>> {
  const models = new Map<string, Model>();
  for (const [name, build] of Object.entries(networks)) models.set(name, build());
  const text = await readFile(new URL("../golden/layers.json", import.meta.url), "utf8");
  for (const { name, model, weights } of JSON.parse(text) as readonly KerasCase[]) {
    const laid = Object.fromEntries(Object.entries(weights).map(([layer, list]) => [layer, list.map(unpack)]));
    models.set(`Keras: ${name}`, withKerasWeights(fromKerasConfig(model), laid));
  }
  return models;
}

function unpack({ dtype, shape, data }: Packed): Tensor {
  return tensor((dtype.startsWith("float") ? "float32" : dtype) as DType, shape, data); // the script writes the types that there are
}
