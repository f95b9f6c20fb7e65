import { afterAll, expect, test } from "vitest";
import {
  createTrainingGraph,
  scalar,
  sgd,
  softmaxCrossEntropy,
  toNumbers,
  type Backend,
  type Graph,
  type Tensor,
  type Tensors,
} from "../../core/index.ts";
import { openReference } from "../reference/index.ts";
import { openOnnxRuntime } from "./backend.ts";
import { randomNetwork, type RandomNetwork } from "./testing/random-networks.ts";

const reference = openReference();
const alone = await openOnnxRuntime({ thread: "inline", threads: 1 });
const pair = await openOnnxRuntime({ thread: "inline", threads: 2, leastSharedBytes: 0 });
afterAll(() => Promise.all([alone.dispose(), pair.dispose()]));

for (let seed = 0; seed < 18; seed += 1) {
  const network = randomNetwork(seed);
  test(`two steps are the reference's to 1e-3, in two threads too, and bit for bit the same compiled again: ${network.text}`, async () => {
    const graph = createTrainingGraph(network.model, { loss: softmaxCrossEntropy(), optimizer: sgd({ momentum: 0.9 }) });
    const expected = await train(reference, graph, network);
    const first = await train(alone, graph, network);
    expect(await train(alone, graph, network)).toEqual(first);
    for (const given of [first, await train(pair, graph, network)]) {
      const far = Object.entries(expected).filter(([name, value]) => !(distance(given[name], value) < 1e-3));
      expect(far.map(([name]) => name)).toEqual([]);
    }
  });
}

/** Outputs and state of two steps; after the first, momentum is the gradient. */
async function train(backend: Backend, graph: Graph, { model, feeds }: RandomNetwork): Promise<Tensors> {
  const executable = await backend.compile(graph, { state: model.state });
  const found: Record<string, Tensor> = {};
  for (let step = 1; step <= 2; step += 1) {
    const outputs = await executable.run({ ...feeds, learning_rate: scalar(0.01), step: scalar(step, "int64") });
    for (const [name, value] of Object.entries({ ...outputs, ...(await executable.readState()) })) found[`${name} of step ${step}`] = value;
  }
  await executable.dispose();
  return found;
}

/** The largest difference over the largest value, which counts as 0.005 at least: some gradients are nought but for rounding. */
function distance(given: Tensor | undefined, expected: Tensor): number {
  const [a, b] = [given === undefined ? [] : toNumbers(given), toNumbers(expected)];
  return Math.max(...b.map((value, i) => Math.abs(value - (a[i] ?? Number.NaN)))) / Math.max(5e-3, ...b.map(Math.abs));
}
