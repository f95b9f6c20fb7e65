import { adam, resNet, sgd, type ImageAugmentation, type Model, type Optimizer, type Tensors } from "../../core/index.ts";
import { cifarShaped } from "../fashion-mnist.ts";
import type { Layout } from "../peers/pytorch.ts";
import { lenetModel } from "./lenet.ts";
import { classes } from "./subject.ts";

/** A network of the accuracy bench: what it learns, and how, here and in PyTorch. */
export interface AccuracySubject {
  /** The data in words, as charts and ratios name it. */
  readonly data: string;
  /** What is made of Fashion-MNIST's images; default: they stay as they are. */
  readonly images?: (tensors: Tensors) => Tensors;
  /** The network with first weights of a seed. Both systems start from them. */
  readonly build: (seed: number) => Model;
  /** A function of `peers/networks.py` that registers parameters in this model's order, its arguments, and the memory layout in which it is faster. */
  readonly pytorch: { readonly network: string; readonly arguments: Readonly<Record<string, number>>; readonly layout: Layout };
  readonly recipe: Recipe;
}

/** What both systems do alike. The rate falls along a cosine to zero; the last batch of an epoch has the rows that are left. */
export interface Recipe {
  /** How many of the 60,000 training images, the first; default all. */
  readonly rows?: number;
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: AccuracyOptimizer;
  readonly augmentation?: Augmentation;
}

/** With PyTorch's names and meaning; weight decay is added to every parameter's gradient, those of normalisations too. */
export type AccuracyOptimizer =
  /** `epsilon` is before the correction of the bias, as ONNX has it; PyTorch adds it after: too small to matter. */
  | { readonly name: "adam"; readonly learningRate: number; readonly epsilon: number }
  | { readonly name: "sgd"; readonly learningRate: number; readonly momentum: number; readonly weightDecay: number };

/** Random crops out of an image with `pad` more pixels on each side, which are those at its border, and every second image mirrored. */
export interface Augmentation {
  readonly pad: number;
  readonly horizontalFlip: boolean;
}

const adamOf = { name: "adam", learningRate: 0.001, epsilon: 1e-8 } as const;
const head = { task: "classification", classes } as const;

const subjects: Readonly<Record<string, AccuracySubject>> = {
  lenet: {
    data: "Fashion-MNIST",
    build: lenetModel,
    pytorch: { network: "lenet", arguments: {}, layout: "contiguous" },
    recipe: { epochs: 6, batch: 128, optimizer: adamOf },
  },
  resnet18: {
    data: "Fashion-MNIST",
    build: (seed) => resNet({ input: "x", shape: [1, 28, 28], head, seed }),
    pytorch: { network: "resnet18", arguments: { channels: 1 }, layout: "channels_last" },
    recipe: { epochs: 2, batch: 64, optimizer: adamOf },
  },
  "resnet18-width8": {
    data: "Fashion-MNIST at CIFAR's shape",
    images: cifarShaped,
    build: (seed) => resNet({ width: 8, input: "x", shape: [3, 32, 32], head, seed }),
    pytorch: { network: "resnet18", arguments: { width: 8 }, layout: "channels_last" },
    recipe: {
      rows: 15_000,
      epochs: 6,
      batch: 128,
      // The usual recipe of residual networks on CIFAR.
      optimizer: { name: "sgd", learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4 },
      augmentation: { pad: 4, horizontalFlip: true },
    },
  },
};

/** @throws Error with the names that there are */
export function accuracySubject(name: string): AccuracySubject {
  const subject = Object.hasOwn(subjects, name) ? subjects[name] : undefined;
  if (subject === undefined) throw new Error(`no network "${name}"; there are ${Object.keys(subjects).join(", ")}`);
  return subject;
}

/**
 * A recipe with a hundredth of its rate, for comparing the losses of first steps: at 0.1 rounding grows so fast that PyTorch's own float32 and float64 are 3 % apart in
 * the fourth step of the narrow ResNet-18, at 0.001 they are 1e-5.
 */
export function cautious({ optimizer, ...recipe }: Recipe): Recipe {
  return { ...recipe, optimizer: { ...optimizer, learningRate: optimizer.learningRate / 100 } };
}

/** A recipe's optimizer here. */
export function optimizerOf(optimizer: AccuracyOptimizer): Optimizer {
  return optimizer.name === "adam" ? adam(optimizer) : sgd(optimizer);
}

/** A recipe's augmentation here. @param size pixels along an image's side */
export function augmentationOf({ pad, horizontalFlip }: Augmentation, size: number): ImageAugmentation {
  return { shift: pad / size, horizontalFlip, fill: "edge" };
}
