import { afterAll, describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { trainingForm } from "../graph/training-form.ts";
import { randomFeeds } from "../training/random-feeds.ts";
import { tensor, toNumbers, type Tensor } from "../tensor.ts";
import {
  alphaDropout,
  dropout,
  dropPath,
  gaussianDropout,
  gaussianNoise,
  sequential,
  simpleRNN,
  spatialDropout1D,
  spatialDropout2D,
  type Layer,
} from "./index.ts";

const backend = openReference();
afterAll(() => backend.dispose());

/** What a layer makes of ones in a training step. */
async function trained(layer: Layer, shape: readonly number[]): Promise<Tensor> {
  const model = sequential({ input: { name: "x", shape: shape.slice(1) }, layers: [layer], output: "y" });
  const graph = trainingForm(model.graph);
  const executable = await backend.compile(graph, { state: model.state });
  const ones = tensor("float32", shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1));
  const { y } = await executable.run({ x: ones, ...randomFeeds(graph, { seed: 7, step: 1, batch: shape[0]! }) });
  await executable.dispose();
  return y!;
}

function moments(values: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
}

describe("in training", () => {
  // 20,000 draws: the mean's standard error is 0.7 % of the standard deviation, the variance's about 1 to 2 % of the variance.
  test.for([
    ["dropout keeps the mean; its variance is rate / (1 - rate)", dropout({ rate: 0.2 }), 1, 0.25],
    ["gaussianDropout has dropout's mean and variance", gaussianDropout({ rate: 0.2 }), 1, 0.25],
    ["gaussianNoise adds its deviation", gaussianNoise({ stddev: 0.5 }), 1, 0.25],
  ] as const)("%s", async ([, layer, mean, variance]) => {
    const found = moments(toNumbers(await trained(layer, [200, 100])));
    expect(Math.abs(found.mean - mean)).toBeLessThan(0.03);
    expect(Math.abs(found.variance / variance - 1)).toBeLessThan(0.06);
  });

  test("alphaDropout gives two values, the dropped one below", async () => {
    const values = new Set(toNumbers(await trained(alphaDropout({ rate: 0.3 }), [50, 40])).map((value) => value.toFixed(4)));
    // a x + b and a alpha' + b, where alpha' = -1.7581, a = ((1 - p) (1 + p alpha'^2))^-1/2 and b = -a alpha' p.
    const a = (0.7 * (1 + 0.3 * 1.7580993408473766 ** 2)) ** -0.5;
    expect(values).toEqual(new Set([(a * (1 + 0.3 * 1.7580993408473766)).toFixed(4), (-a * 1.7580993408473766 * 0.7).toFixed(4)]));
  });

  test("spatial dropouts leave out whole channels, dropPath whole rows", async () => {
    const blocks = async (layer: Layer, shape: readonly number[], size: number): Promise<readonly number[][]> => {
      const values = toNumbers(await trained(layer, shape));
      return Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size));
    };
    const images = await blocks(spatialDropout2D({ rate: 0.5 }), [4, 8, 3, 3], 9);
    expect(images.every((block) => new Set(block).size === 1)).toBe(true);
    expect(new Set(images.flat())).toEqual(new Set([0, 2]));
    const rows = await blocks(dropPath({ rate: 0.5 }), [16, 6], 6);
    expect(rows.every((block) => new Set(block).size === 1)).toBe(true);
    expect(new Set(rows.flat())).toEqual(new Set([0, 2]));
    const steps = await blocks(spatialDropout1D({ rate: 0.5, dataFormat: "channels_last" }), [1, 5, 16], 16);
    expect(steps.every((step) => step.join() === steps[0]!.join())).toBe(true);
    expect(new Set(steps.flat())).toEqual(new Set([0, 2]));
  });

  test("a recurrent layer's dropout leaves out the same features at every step", async () => {
    // Ones as kernel, nothing carried over and relu: each step's state is the sum of the features that are left.
    const layer = simpleRNN({
      units: 1,
      dropout: 0.5,
      activation: "relu",
      kernelInitializer: "ones",
      recurrentInitializer: "zeros",
      returnSequences: true,
    });
    const values = toNumbers(await trained(layer, [8, 5, 6]));
    const rows = Array.from({ length: 8 }, (_, i) => values.slice(i * 5, (i + 1) * 5));
    expect(rows.every((row) => new Set(row).size === 1)).toBe(true);
    expect(new Set(values).size).toBeGreaterThan(1);
  });
});

test.for([
  [() => dropout({ rate: 1 }), "dropout: rate must be a number from 0 and below 1, not 1"],
  [() => gaussianNoise({ stddev: -1 }), "gaussianNoise: stddev must be a number from 0, not -1"],
  [() => alphaDropout({ rate: NaN }), "alphaDropout: rate must be a number from 0 and below 1, not NaN"],
  [
    () => spatialDropout2D({ rate: 0.1, dataFormat: "channelsFirst" as "channels_first" }),
    'spatialDropout2D: no dataFormat "channelsFirst"; did you mean "channels_first"',
  ],
] as const)("refused: %#", ([make, message]) => {
  expect(make).toThrow(message);
});
