import { afterAll, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { importOnnx } from "../formats/onnx-import/import-onnx.ts";
import { toOnnx } from "../formats/onnx.ts";
import { simplify } from "../graph/simplify.ts";
import { trainingForm } from "../graph/training-form.ts";
import type { Model } from "../models/model.ts";
import { tensor, toNumbers } from "../tensor.ts";
import { tensorBatches } from "../data/tensor-batches.ts";
import { evaluateModel } from "../training/evaluate-model.ts";
import { meanSquaredError } from "../training/losses/index.ts";
import { mixedPrecision } from "../training/mixed-precision.ts";
import { sgd } from "../training/optimizers/index.ts";
import { l1, l2, orthogonal, type Regularizer } from "../training/regularizer.ts";
import { createTrainingGraph, type TrainingGraphOptions } from "../training/training-graph.ts";
import { activation, activityRegularization, dense, embedding, Network, sequential, timeDistributed, type Layer } from "./index.ts";

// Values and gradients of penalties are compared with Keras's in keras/golden.test.ts; here is what a training step makes of them.
const backend = openReference();
afterAll(() => backend.dispose());

const feeds = { x: tensor("float32", [2, 2], [1, 2, 3, -4]), labels: tensor("float32", [2, 2], [0, 0, 0, 0]) };
const rates = { learning_rate: tensor("float32", [], [0.1]), step: tensor("int64", [], [1n]) };
const unit = (activityRegularizer?: Regularizer): Layer =>
  dense({ units: 2, useBias: false, kernelInitializer: () => Float32Array.of(1, 0, 0, 1), activityRegularizer });
const chain = (...layers: readonly Layer[]): Model => sequential({ input: { name: "x", shape: [2] }, layers, output: "prediction" });

async function step(
  model: Model,
  options: Partial<TrainingGraphOptions> = {},
): Promise<{ readonly loss: number; readonly kernel: readonly number[] }> {
  const graph = createTrainingGraph(model, { loss: meanSquaredError(), optimizer: sgd(), ...options });
  const executable = await backend.compile(graph, { state: model.state });
  const { loss } = await executable.run({ ...feeds, ...rates });
  const { "dense/kernel": kernel } = await executable.readState(["dense/kernel"]);
  await executable.dispose();
  return { loss: toNumbers(loss!)[0]!, kernel: toNumbers(kernel!) };
}

test("a step adds the penalty over the rows to the loss and its gradient to the weights' update", async () => {
  // The squares of x are 1, 4, 9, 16: their mean is 7.5, their sum over 2 rows 15.
  const [plain, penalized] = [await step(chain(unit())), await step(chain(unit(l2(0.2))))];
  expect(plain.loss).toBeCloseTo(7.5, 5);
  expect(penalized.loss).toBeCloseTo(7.5 + 0.2 * 15, 5);
  // The loss's gradient is x^T x / 2, the penalty's 0.2 x^T x; x^T x = [[10, -10], [-10, 20]].
  penalized.kernel.forEach((value, i) => expect(value).toBeCloseTo([1, 0, 0, 1][i]! - 0.1 * 0.7 * [10, -10, -10, 20][i]!, 5));
});

test("two layers of one input are penalised twice, though they compute the same", async () => {
  const network = new Network("twice");
  const hidden = network.apply(unit(), network.input("x", [2]));
  const [a, b] = [1, 2].map(() => network.apply(activityRegularization({ l1: 0.5 }), hidden));
  network.apply(activation({ activation: "tanh" }), b!);
  network.output("prediction", network.apply(activityRegularization({ l1: 0.5 }), a!));
  network.output("other", b!);
  expect((await step(network.build())).loss).toBeCloseTo(7.5 + 3 * 0.5 * (10 / 2), 5);
});

test("in mixed precision the penalty is the same", async () => {
  const { loss } = await step(chain(unit(l2(0.2))), { precision: "mixed_float16" });
  expect(loss).toBeCloseTo(7.5 + 0.2 * 15, 2);
});

test("evaluation adds the penalties of activities and of weights to the loss, as Keras does, whatever the batches; not those of frozen weights", async () => {
  const kernel = { kernelInitializer: () => Float32Array.of(1, 0, 0, 1), kernelRegularizer: l2(0.3) };
  const layer = (trainable: boolean): Layer => dense({ units: 2, useBias: false, activityRegularizer: l1(0.2), ...kernel, trainable });
  const evaluated = async (model: Model, batchSize: number): Promise<number | undefined> => {
    const data = tensorBatches(feeds, { batchSize });
    return (await evaluateModel({ model, backend, loss: meanSquaredError(), metrics: [], data }))["loss"];
  };
  // The mean square is 7.5, the sum of |x| 10 over 2 rows, the kernel's squares 1 and 1.
  for (const batchSize of [1, 2]) {
    expect(await evaluated(chain(layer(true)), batchSize)).toBeCloseTo(7.5 + 0.2 * (10 / 2) + 0.3 * 2, 5);
    expect(await evaluated(chain(layer(false)), batchSize)).toBeCloseTo(7.5 + 0.2 * (10 / 2), 5);
  }
});

test("in mixed precision a penalised value stays in float16 between two products", () => {
  const casts = (activityRegularizer?: Regularizer): number => {
    const model = chain(dense({ units: 3, activation: "relu", activityRegularizer }), dense({ units: 2 }));
    return mixedPrecision(trainingForm(model.graph)).nodes.filter(({ operator }) => operator === "Cast").length;
  };
  expect(casts(l2(0.1))).toBe(casts());
});

test("predictions and exported files are those without it", () => {
  const model = chain(unit(l1(0.2)));
  const exported = importOnnx(toOnnx(model.graph, { state: model.state }));
  expect(simplify(exported.graph).nodes.map(({ operator }) => operator)).toEqual(simplify(chain(unit()).graph).nodes.map(({ operator }) => operator));
});

test("refused: a regulariser that is none, angles between rows of a batch, whole numbers, and a layer inside that Keras would not count", () => {
  const wrong = { kind: "l3", l3: 1 } as unknown as Regularizer; // as from a file
  expect(() => unit(wrong)).toThrow('activityRegularizer: regularizer: kind must be "l1", "l2", "l1l2" or "orthogonal", not "l3"');
  expect(() => unit({ kind: "l2", l2: -1 })).toThrow('activityRegularizer: regularizer "l2": l2 must be a number from 0, not -1');
  expect(() => chain(unit(orthogonal()))).toThrow('the regularizer "orthogonal" needs [batch, units] and mode "columns"');
  expect(() => activityRegularization({ l1: -1 })).toThrow("activityRegularization: l1 must be a number from 0, not -1");
  const network = new Network("n");
  const tokens = network.input("tokens", [2], { dtype: "int32" });
  expect(() => network.apply(activityRegularization({ l1: 1 }), tokens)).toThrow("int32");
  expect(network.apply(embedding({ inputDim: 3, outputDim: 2, activityRegularizer: l2() }), tokens).shape).toEqual(["batch", 2, 2]);
  expect(() => timeDistributed({ layer: unit(l2()) })).toThrow("timeDistributed: its layer's activityRegularizer would not count, as in Keras");
});
