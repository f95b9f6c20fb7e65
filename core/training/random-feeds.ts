import type { Graph, RandomFeed } from "../graph/graph.ts";
import { deriveSeed, Random } from "../random.ts";
import { allocate, elementCount, type Tensor, type Tensors, type TypedArray } from "../tensor.ts";

/** Which step's numbers are drawn, for how many rows. */
export interface RandomFeedsOptions {
  readonly seed: number;
  readonly step: number;
  readonly batch: number;
}

/**
 * The random inputs of one step: dropout masks, noise. They depend on seed, step and input alone, so that a resumed run draws the same.
 *
 * @param graph of `createTrainingGraph`
 * @returns a tensor for each input that says how it is drawn; none for a graph without
 */
export function randomFeeds(graph: Graph, { seed, step, batch }: RandomFeedsOptions): Tensors {
  const feeds: Record<string, Tensor> = {};
  for (const { name, dtype, shape, random } of graph.inputs) {
    if (random === undefined || dtype === "string") continue;
    const sizes = shape.map((size) => (size === "batch" ? batch : size));
    const data = allocate(dtype, elementCount(sizes));
    fill(data, random, new Random(deriveSeed(seed, "random", name, step)));
    feeds[name] = { dtype, shape: sizes, data };
  }
  return feeds;
}

function fill(data: TypedArray, feed: RandomFeed, random: Random): void {
  switch (feed.distribution) {
    case "bernoulli": {
      const limit = feed.probability * 0x100000000;
      for (let i = 0; i < data.length; i += 1) data[i] = random.uint32() < limit ? 1 : 0;
      return;
    }
    case "uniform":
      for (let i = 0; i < data.length; i += 1) data[i] = random.uniform();
      return;
    case "normal":
      for (let i = 0; i < data.length; i += 1) data[i] = random.normal();
      return;
    default:
      feed satisfies never;
  }
}
