import { describe, expect, test } from "vitest";
import { onnxRuntimeDriver } from "../../backends/onnxruntime/index.ts";
import { referenceDriver } from "../../backends/reference/index.ts";
import { tfjsWasmDriver } from "../../backends/tfjs/index.ts";
import {
  fit,
  GraphBuilder,
  meanSquaredError,
  rescuedResult,
  scalar,
  sgd,
  tensor,
  tensorBatches,
  toNumbers,
  type Anomaly,
  type FitOptions,
  type Model,
} from "../../core/index.ts";

/** y = sqrt(x w): not a number for x w below 0, and without a finite slope at 0. */
function root(): Model {
  const b = new GraphBuilder("root");
  const product = b.op("Mul", [b.input("features", "float32", ["batch", 2]), b.state("w", "float32", [2])], {}, { name: "product" });
  const sum = b.op("ReduceSum", [b.op("Sqrt", [product], {}, { name: "root" }), b.ints([1])], { keepdims: 1 });
  b.output("prediction", sum);
  return { graph: b.build(), state: { w: tensor("float32", [2], [1, 1]) }, config: {} };
}

function plan(features: readonly number[]): Omit<FitOptions, "backend"> {
  const rows = features.length / 2;
  const labels = tensor("float32", [rows, 1], new Float32Array(rows).fill(1));
  return {
    model: root(),
    loss: meanSquaredError(),
    optimizer: sgd({ learningRate: 0.001 }),
    train: tensorBatches({ features: tensor("float32", [rows, 2], features), labels }, { batchSize: 2 }),
    epochs: 1,
  };
}

describe.each([referenceDriver, onnxRuntimeDriver, tfjsWasmDriver])("on $name", (driver) => {
  test.each([
    ["the forward pass", [1, 2, 3, 4, 5, 6, -7, 8], { node: "root", operator: "Sqrt", phase: "forward" }],
    ["the backward pass", [1, 2, 3, 4, 5, 6, 0, 8], { phase: "backward" }],
  ])(
    "the first operator that makes a NaN or an infinity in %s is named, and the weights before that step are given back",
    async (_what, features, expected) => {
      const backend = await driver.open();
      try {
        const error: unknown = await fit({ ...plan(features), backend }).catch((failure: unknown) => failure);
        expect(error).toMatchObject({ code: "LOSS_NOT_FINITE", details: { step: 2, epoch: 1, anomaly: expected } });
        const { anomaly } = (error as { details: { anomaly: Anomaly } }).details; // matched above
        expect(anomaly.node).toContain("root");
        expect(anomaly.inputs.some(({ nans, infinities }) => nans + infinities > 0)).toBe(false);
        const saved = rescuedResult(error) ?? expect.fail("nothing was saved");
        const first = await fit({ ...plan(features.slice(0, 4)), backend, weights: "last" });
        expect(toNumbers(saved.model.state["w"]!)).toEqual(toNumbers(first.model.state["w"]!));
      } finally {
        await backend.dispose();
      }
    },
  );

  test("a learning rate that overflows the weights is stopped in its step", async () => {
    const backend = await driver.open();
    try {
      const schedule = ({ step }: { step: number }): number => (step === 2 ? 3e38 : 0.001);
      const failing = fit({ ...plan([1, 2, 3, 4, 5, 6, 7, 8]), epochs: 3, schedule, backend, optimizer: sgd({ learningRate: 1 }) });
      const error: unknown = await failing.catch((failure: unknown) => failure);
      expect(error).toMatchObject({ code: "LOSS_NOT_FINITE", details: { step: 2, learningRate: 3e38 } });
      const [w] = toNumbers(rescuedResult(error)?.model.state["w"] ?? scalar(Number.NaN));
      expect(w).toBeCloseTo(1, 1);
    } finally {
      await backend.dispose();
    }
  });
});
