import { describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import type { Backend } from "../backend.ts";
import { EspalierError } from "../errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { linear } from "../models/linear.ts";
import type { Model } from "../models/model.ts";
import { scalar, tensor, toNumbers } from "../tensor.ts";
import { describeAnomaly, findAnomaly, type Anomaly } from "./anomaly.ts";
import { rescuedResult } from "./diverged.ts";
import type { FitOptions } from "./fit-options.ts";
import { fit } from "./fit.ts";
import { meanSquaredError } from "./losses/index.ts";
import { memoryCheckpoints } from "./memory-checkpoints.ts";
import { adam, sgd } from "./optimizers/index.ts";
import { createTrainingGraph } from "./training-graph.ts";
import { batchesOf } from "./testing/batches.ts";
import { plane } from "./testing/synthetic.ts";

const backend = openReference();

async function failure(options: FitOptions): Promise<EspalierError> {
  return fit(options).then(
    () => expect.fail("training ended well"),
    (error: unknown) => (error instanceof EspalierError ? error : expect.fail(String(error))),
  );
}

function plan(): FitOptions {
  return {
    model: linear({ width: 3, head: { task: "regression" } }),
    backend,
    loss: meanSquaredError(),
    optimizer: sgd({ learningRate: 0.05 }),
    train: batchesOf(plane({ rows: 12, coefficients: [1, 2, 3] }), 4),
    epochs: 20,
  };
}

/** y = log(x w): not a number as soon as x w is below 0. */
function logarithm(weight: number): Model {
  const b = new GraphBuilder("logarithm");
  const product = b.op("Mul", [b.input("features", "float32", ["batch", 1]), b.state("w", "float32", [])]);
  b.output("prediction", b.op("Log", [product], {}, { name: "logarithm" }));
  return { graph: b.build(), state: { w: scalar(weight) }, config: {} };
}

describe("a run that diverges", () => {
  test("gives back the best epoch's weights with its error, which names step and rate", async () => {
    const schedule = ({ learningRate, step }: { learningRate: number; step: number }): number => (step <= 15 ? learningRate : 1e30); // five good epochs
    const error = await failure({ ...plan(), schedule });
    expect(error.code).toBe("LOSS_NOT_FINITE");
    // Step 16 writes weights of about 1e30, whose squared errors overflow in step 17.
    expect(error.details).toMatchObject({ step: 17, epoch: 6, learningRate: 1e30 });
    const saved = rescuedResult(error)!;
    expect(saved).toMatchObject({ reason: "diverged", steps: 16, bestEpoch: 5 });
    expect(saved.history).toHaveLength(5);
    const good = await fit({ ...plan(), epochs: 5 });
    expect(saved.model.state).toEqual(good.model.state);
  });

  test("in its first epoch gives back the weights before the bad step", async () => {
    const schedule = ({ learningRate, step }: { learningRate: number; step: number }): number => (step === 1 ? learningRate : 3e38);
    const checkpoints = memoryCheckpoints();
    const error = await failure({ ...plan(), schedule, checkpoints });
    expect(error.details).toMatchObject({ step: 2, epoch: 1, checkpoint: "memory (step 0)", anomaly: { phase: "update" } });
    const controller = new AbortController();
    const one = await fit({ ...plan(), signal: controller.signal, onEvent: ({ kind }) => void (kind === "step" && controller.abort()) });
    expect(rescuedResult(error)).toMatchObject({ steps: 1, bestEpoch: 0, model: { state: one.model.state } });
    expect((await checkpoints.load("last"))?.step).toBe(0);
  });

  test("names the operator, its inputs and the data that made the first NaN", async () => {
    const model = logarithm(1);
    const features = tensor("float32", [4, 1], [1, 2, 3, -1]);
    const train = batchesOf({ features, labels: tensor("float32", [4, 1], [0, 0, 0, 0]) }, 2);
    const error = await failure({ ...plan(), model, train });
    const anomaly = error.details["anomaly"] as Anomaly;
    expect(anomaly).toMatchObject({ node: "logarithm", operator: "Log", phase: "forward", output: { nans: 1, infinities: 0 } });
    expect(anomaly.inputs[0]).toMatchObject({ shape: [2, 1], nans: 0 });
    expect(anomaly.inputs[0]!.min! / anomaly.inputs[0]!.max!).toBeCloseTo(-1 / 3, 6); // the features are 3 and -1
    expect(error.message).toMatch(/in step 2 of epoch 1 .*the first NaN comes from node "logarithm" \(Log, forward\) of "Mul" \[2, 1\] from -\d/);
  });

  test("blames data that holds a NaN itself, not the operator that read it", async () => {
    const data = plane({ rows: 4, coefficients: [1, 2, 3] });
    const features = tensor("float32", [4, 3], toNumbers(data["features"]!).with(7, Number.NaN));
    const error = await failure({ ...plan(), train: batchesOf({ ...data, features }, 2) });
    expect(error.details["anomaly"]).toMatchObject({ node: "features", operator: undefined, phase: "input", output: { nans: 1, firstRow: 0 } });
    expect(error.message).toMatch(/in step 2 of epoch 1 .*the input "features" holds NaN in row 0 of its batch.*; correct that data/);
  });

  test("in validation names the operator and gives back the weights that training had come to", async () => {
    const labels = tensor("float32", [2, 1], [0, 0]);
    const data = (last: number): ReturnType<typeof batchesOf> => batchesOf({ features: tensor("float32", [2, 1], [1, last]), labels }, 2);
    const common = { ...plan(), model: logarithm(1), train: data(2), epochs: 3 };
    const error = await failure({ ...common, validation: data(-2) });
    expect(error.message).toMatch(/the validation loss is NaN in step 1 of epoch 1 .*node "logarithm" \(Log, forward\)/);
    const good = await fit({ ...common, epochs: 1, weights: "last" });
    expect(rescuedResult(error)).toMatchObject({ bestEpoch: 0, model: { state: good.model.state } });
  });

  test("is told though the backend fails while its cause is looked for", async () => {
    const failing: Backend = {
      ...backend,
      compile: (graph, options) =>
        Object.keys(graph.outputs).some((name) => name.startsWith("value_"))
          ? Promise.reject(new Error("too many outputs"))
          : backend.compile(graph, options),
    };
    const data = plane({ rows: 4, coefficients: [1, 2, 3] });
    const features = tensor("float32", [4, 3], toNumbers(data["features"]!).with(7, Number.NaN));
    const error = await failure({ ...plan(), backend: failing, train: batchesOf({ ...data, features }, 2) });
    expect(error).toMatchObject({ code: "LOSS_NOT_FINITE", details: { step: 2, epoch: 1, anomaly: undefined } });
    expect(rescuedResult(error)).toMatchObject({ reason: "diverged", steps: 1 });
  });

  test("without tracing keeps no state and still says where", async () => {
    const error = await failure({ ...plan(), optimizer: sgd({ learningRate: 1e30 }), anomalies: false });
    expect(error.details).toMatchObject({ step: 2, anomaly: undefined });
    expect(rescuedResult(error)).toBeUndefined();
  });

  test("with accumulated gradients names the update's operator", async () => {
    const error = await failure({ ...plan(), optimizer: adam({ learningRate: 3e38, epsilon: 0 }), accumulateSteps: 2 });
    expect(error.code).toBe("LOSS_NOT_FINITE");
    expect(error.details["anomaly"]).toMatchObject({ phase: expect.stringMatching(/update|forward/) });
    expect(rescuedResult(error)).toBeDefined();
  });
});

test("a backward pass is blamed where the forward pass is finite", async () => {
  // d sqrt(x) / dx at 0 is infinite, sqrt(0) is not.
  const b = new GraphBuilder("root");
  b.output(
    "prediction",
    b.op("Sqrt", [b.op("Mul", [b.input("features", "float32", ["batch", 1]), b.state("w", "float32", [])])], {}, { name: "root" }),
  );
  const model: Model = { graph: b.build(), state: { w: scalar(1) }, config: {} };
  const graph = createTrainingGraph(model, { loss: meanSquaredError(), optimizer: sgd() });
  const executable = await backend.compile(graph, { state: model.state });
  const feeds = {
    features: tensor("float32", [2, 1], [0, 4]),
    labels: tensor("float32", [2, 1], [1, 1]),
    learning_rate: scalar(0.1),
    step: scalar(1, "int64"),
  };
  const anomaly = await findAnomaly(backend, { graph, executable, feeds });
  expect(anomaly).toMatchObject({ phase: "backward" });
  expect(anomaly!.node).toMatch(/^gradient\/root\//);
  expect(describeAnomaly(anomaly!)).toMatch(/backward/);
  expect(await findAnomaly(backend, { graph, executable, feeds: { ...feeds, features: tensor("float32", [2, 1], [1, 4]) } })).toBeUndefined();
  expect(toNumbers((await executable.readState())["w"]!)).toEqual([1]); // nothing was written
});
