import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { onnxRuntimeDriver, openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import { openReference } from "../../backends/reference/index.ts";
import {
  adam,
  convNet,
  createTrainingGraph,
  meanSquaredError,
  mlp,
  Random,
  scalar,
  sgd,
  softmaxCrossEntropy,
  tensor,
  type Backend,
  type Loss,
  type Model,
  type Optimizer,
  type Tensors,
} from "../../core/index.ts";
import { describeBackend } from "./describe-backend.ts";
import { skips } from "./skips.ts";

const reference = openReference();
let backend: Backend;
beforeAll(async () => {
  backend = await openOnnxRuntime();
});
afterAll(() => backend.dispose());

describeBackend(onnxRuntimeDriver, { skip: skips["onnxruntime"] ?? {} });

describe("50 training steps lose what they lose on the reference backend, to 1e-4", () => {
  const classes = 3;
  const classifier = { task: "classification", classes } as const;
  const models: Readonly<Record<string, { readonly model: Model; readonly loss: Loss }>> = {
    "a classifier": { model: mlp({ width: 6, hidden: [16, 8], head: classifier, seed: 5 }), loss: softmaxCrossEntropy() },
    "a regression": { model: mlp({ width: 6, hidden: [16], activation: "tanh", head: { task: "regression" }, seed: 6 }), loss: meanSquaredError() },
    "a convolutional network": {
      model: convNet({ shape: [2, 8, 8], filters: [4, 6], units: 10, head: classifier, seed: 7 }),
      loss: softmaxCrossEntropy(),
    },
  };
  const optimizers: Readonly<Record<string, Optimizer>> = {
    Adam: adam(),
    "Adam with weight decay": adam({ weightDecay: 0.01 }),
    "SGD with momentum": sgd({ momentum: 0.9 }),
    "SGD with Nesterov momentum": sgd({ momentum: 0.9, nesterov: true }),
  };
  for (const [what, { model, loss }] of Object.entries(models)) {
    for (const [how, optimizer] of Object.entries(optimizers)) {
      test(`${what} by ${how}, the last batch of each round smaller`, async () => {
        const graph = createTrainingGraph(model, { loss, optimizer });
        const [tested, trusted] = [await backend.compile(graph, { state: model.state }), await reference.compile(graph, { state: model.state })];
        const random = new Random(9);
        const first: number[] = [];
        for (let step = 1; step <= 50; step += 1) {
          const feeds = draw(model, { random, classes, step, batch: step % 5 === 0 ? 3 : 8, integers: what !== "a regression" });
          const [given, expected] = [await tested.run(feeds), await trusted.run(feeds)].map((outputs) => Number(outputs["loss"]?.data[0]));
          expect(Math.abs((given ?? Number.NaN) - (expected ?? 0))).toBeLessThan(1e-4);
          first.push(given ?? Number.NaN);
        }
        expect(first.at(-1)).toBeLessThan(first[0] ?? 0);
        await tested.dispose();
        await trusted.dispose();
      });
    }
  }
});

interface DrawOptions {
  readonly random: Random;
  readonly classes: number;
  readonly step: number;
  readonly batch: number;
  readonly integers: boolean;
}

/** A batch whose label follows from its first number, so that there is something to learn. */
function draw({ graph }: Model, { random, classes, step, batch, integers }: DrawOptions): Tensors {
  const inputs = graph.inputs.map(({ name, shape }) => {
    const sizes = shape.map((size) => (size === "batch" ? batch : size));
    return [
      name,
      tensor(
        "float32",
        sizes,
        random.uniforms(
          sizes.reduce((a, b) => a * b, 1),
          { low: -1 },
        ),
      ),
    ] as const;
  });
  const [, { data }] = inputs[0] as (typeof inputs)[number]; // every model has an input
  const row = data.length / batch;
  const firsts = Array.from({ length: batch }, (_, i) => Number(data[i * row]));
  const labels = integers
    ? tensor(
        "int32",
        [batch],
        firsts.map((value) => Math.min(classes - 1, Math.floor(((value + 1) / 2) * classes))),
      )
    : tensor("float32", [batch, 1], firsts);
  return { ...Object.fromEntries(inputs), labels, learning_rate: scalar(0.01), step: tensor("int64", [], [step]) };
}
