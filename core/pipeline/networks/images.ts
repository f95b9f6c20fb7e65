import { augmentedFeeds, type ImageAugmentation } from "../../data/augment-images.ts";
import { EspalierError } from "../../errors.ts";
import type { FittedFeature, FittedFeatures } from "../../features/features.ts";
import { dense, flatten, sequential } from "../../layers/index.ts";
import { convNet, headUnits, mobileNetV2, resNet, visionTransformer, type ImageShape, type Model, type ResNetDepth } from "../../models/index.ts";
import { adam, cosineSchedule, tableRecipe, type Recipe } from "../../training/index.ts";
import type { Network, NetworkContext, NetworkFamily } from "./network.ts";

/** Networks for images: their input is named after the column, [batch, channels, height, width] from 0 to 1. */
export const imageNetworks: NetworkFamily = {
  kind: "images",
  what: "images",
  networks: {
    linear: (context) => pixelsToOutputs(context),
    network: (context) => sizedConvNet(context),
    "conv-net": (context) => sizedConvNet(context),
    resnet18: residual(18),
    resnet34: residual(34),
    resnet50: residual(50),
    "mobilenet-v2": ({ features, ...context }) => mobileNetV2({ ...imageInput(features), ...context }),
    "vision-transformer": ({ features, ...context }) =>
      visionTransformer({ ...imageInput(features), ...context, width: 96, layers: 6, heads: 3, dropoutRate: 0.1 }),
  },
  recipe: imageRecipe,
  vary: (feeds, { features }) => {
    const { column, shape } = imageFeature(features);
    return augmentedFeeds(feeds, { input: column, ...augmentationFor(shape) });
  },
};

/**
 * How training images are varied when nobody says how: photos are mirrored and moved by an eighth (He et al.'s 4 of 32 pixels); images of one channel (digits, letters, scans) keep their sense
 * only unmirrored, and are moved, turned and resized a little.
 */
function augmentationFor([channels]: readonly [number, number, number]): ImageAugmentation {
  return channels === 1 ? { shift: 0.08, rotation: 8, zoom: 0.1, shear: 0.15 } : { horizontalFlip: true, shift: 0.125, fill: "edge" };
}

/** A dense layer on the pixels: what shapes and colours alone tell. */
function pixelsToOutputs({ features, head, seed }: NetworkContext): Model {
  const { column, shape } = imageFeature(features);
  const { units, output } = headUnits(head);
  const layers = [flatten(), dense({ units, kernelInitializer: "zeros" })];
  return sequential({ name: "linear", input: { name: column, shape }, layers, output, seed, config: { name: "linear", shape, units, seed } });
}

function residual(depth: ResNetDepth): Network {
  return ({ features, ...context }) => resNet({ depth, ...imageInput(features), ...context });
}

function imageInput(features: FittedFeatures): { readonly input: string; readonly shape: ImageShape } {
  const { column, shape } = imageFeature(features);
  return { input: column, shape };
}

/** One more convolution, with twice the filters, for each doubling of the side above 16 pixels: the dense layer always sees about 8x8 places or fewer. */
function sizedConvNet({ features, head, seed }: NetworkContext): Model {
  const { column, shape } = imageFeature(features);
  const halvings = Math.max(2, Math.ceil(Math.log2(Math.min(shape[1], shape[2]) / 8)));
  const filters = Array.from({ length: halvings }, (_, i) => Math.min(128, 32 * 2 ** i));
  return convNet({ input: column, shape, head, filters, seed });
}

/** About a million images seen: few images many times, many images few times; early stopping ends most runs sooner. A linear model of thousands of pixels needs small steps. */
function imageRecipe(name: string, { head, rows }: NetworkContext): Recipe {
  const epochs = Math.min(100, Math.max(10, Math.round(1e6 / Math.max(1, rows))));
  return {
    ...tableRecipe({ head, rows, model: "network" }),
    optimizer: adam({ learningRate: 0.001, weightDecay: name === "linear" ? 1e-3 : 1e-4 }),
    schedule: cosineSchedule({ floor: 0.02 }),
    batchSize: rows < 500 ? 16 : rows < 2000 ? 32 : 64,
    epochs,
    earlyStopping: { patience: Math.max(5, Math.round(epochs / 4)) },
  };
}

function imageFeature({ features }: NetworkContext["features"]): Extract<FittedFeature, { kind: "image" }> {
  const [image] = features;
  if (image?.kind === "image" && features.length === 1) return image;
  const columns = features.map(({ column }) => `"${column}"`).join(", ");
  throw new EspalierError("ARGUMENT_INVALID", `networks for images take one image column and no other, not ${columns}; ignore the others`, {
    columns: features.map(({ column }) => column),
  });
}
