import { Random, tensor, type Model, type Tensor, type Tensors } from "../../core/index.ts";
import type { Jax, JaxArray } from "../peers/jax.ts";
import type { TfjsPeer, TfModel } from "../peers/tfjs-layers.ts";

/** Classes that every subject tells apart. */
export const classes = 10;

/** A network that is trained in several systems from the same weights on the same rows. */
export interface Subject {
  /** As ratios name it. */
  readonly name: string;
  readonly batch: number;
  /** The input `x`: one row, channels first. */
  readonly row: readonly number[];
  /** How many tokens there are, when rows are token numbers (int32) and not floats. */
  readonly vocabulary?: number;
  /** Made anew at each call, with the same weights. */
  readonly build: () => Model;
  /** Its name in `peers/networks.py`, which registers parameters in this model's order. */
  readonly pytorch: string;
  /** The same network in tfjs layers, where it has kernels for it. */
  readonly tfjs?: {
    readonly build: (tfjs: TfjsPeer) => TfModel;
    /** Whether its layers have this model's names, by which weights are set; else they are in this model's order. */
    readonly isNamed?: boolean;
    /** Where the image is flattened: channels and pixels of the dense layer after it, whose rows tfjs orders pixels first. */
    readonly flattened?: { readonly parameter: string; readonly channels: number; readonly pixels: number };
  };
  /** Its logits in jax-js, where it is written in it: from the parameters in the model's order and the rows. */
  readonly jax?: (jax: Jax, parameters: readonly JaxArray[], x: JaxArray) => JaxArray;
  /** The learning rate of every step. */
  readonly learningRate: number;
  /** How far losses of the first steps may be from PyTorch's; 1e-4 by default. */
  readonly lossTolerance?: number;
  /** Steps inside one timing, so that short steps are timed together. */
  readonly repeats: number;
  /** Timings of every system. */
  readonly rounds: number;
}

/** The rows that every step trains on: `x` and `labels`. */
export function subjectData({ batch, row, vocabulary }: Pick<Subject, "batch" | "row" | "vocabulary">): {
  readonly x: Tensor;
  readonly labels: Tensor;
} {
  const random = new Random(7);
  const shape = [batch, ...row];
  const size = shape.reduce((a, b) => a * b, 1);
  const x =
    vocabulary === undefined
      ? tensor(
          "float32",
          shape,
          Float32Array.from({ length: size }, () => random.uniform(-1, 1)),
        )
      : tensor(
          "int32",
          shape,
          Int32Array.from({ length: size }, () => Math.floor(random.uniform(0, vocabulary))),
        );
  return {
    x,
    labels: tensor(
      "int32",
      [batch],
      Int32Array.from({ length: batch }, (_, i) => (i * 7) % classes),
    ),
  };
}

/** A model's parameters in the graph's order: no running statistics, no slots. */
export function parametersOf({ graph, state }: Model): Tensors {
  const trained = graph.state.filter(({ role }) => role === "parameter");
  return Object.fromEntries(trained.flatMap(({ name }) => (state[name] === undefined ? [] : [[name, state[name]]])));
}
