import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Model } from "../models/model.ts";
import { tensor, toNumbers, type Tensors } from "../tensor.ts";
import { tensorBatches } from "../data/tensor-batches.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { FitOptions } from "./fit-options.ts";
import { fit } from "./fit.ts";
import { meanSquaredError } from "./losses/index.ts";
import { checkLossScaling, exhaustedScale, type LossScaling } from "./loss-scaling.ts";
import { adam, averagedWeights, sgd } from "./optimizers/index.ts";

// PyTorch's GradScaler on the same batches (test/golden/make-loss-scaling.py); every few steps the scaled gradient is infinite and the loss is not.
interface Golden {
  readonly options: Required<LossScaling>;
  readonly first: readonly number[];
  readonly x: readonly (readonly (readonly number[])[])[];
  readonly y: readonly (readonly number[])[];
  readonly runs: readonly {
    readonly optimizer: "sgd" | "adam";
    readonly clip: number | null;
    readonly accumulate: number;
    readonly trace: readonly { readonly weights: readonly number[]; readonly scale: number; readonly goodSteps: number }[];
  }[];
}

const golden = JSON.parse(await readFile(new URL("../../test/golden/loss-scaling.json", import.meta.url), "utf8")) as Golden; // as the script writes it
const backend = openReference();
const optimizers = { sgd: sgd({ learningRate: 0.05, momentum: 0.9 }), adam: adam({ learningRate: 0.05, epsilon: 1e-12 }) };

/** Products and sums alone, which stay in float32: only the scaling is tried out. */
function weightedSum(): Model {
  const builder = new GraphBuilder("sum");
  const [x, w] = [builder.input("x", "float32", ["batch", 3]), builder.state("w", "float32", [3])];
  builder.output("prediction", builder.op("ReduceSum", [builder.op("Mul", [x, w]), builder.ints([1])], { keepdims: 1 }));
  return { graph: builder.build(), state: { w: tensor("float32", [3], golden.first) }, config: {} };
}

function plan(): FitOptions {
  const rows = golden.x.length * 2;
  const data = { x: tensor("float32", [rows, 3], golden.x.flat(2)), labels: tensor("float32", [rows, 1], golden.y.flat()) };
  return {
    model: weightedSum(),
    backend,
    loss: meanSquaredError(),
    optimizer: optimizers.sgd,
    train: tensorBatches(data, { batchSize: 2 }),
    epochs: 1,
    weights: "last",
    precision: "mixed_float16",
    lossScaling: golden.options,
  };
}

async function checkpointsOf(options: FitOptions): Promise<readonly Checkpoint[]> {
  const kept: Checkpoint[] = [];
  await fit({
    ...options,
    checkpointEvery: 1,
    checkpoints: { save: async (checkpoint) => String(kept.push(checkpoint)), load: async () => undefined },
  });
  return kept;
}

const numberOf = (state: Tensors, name: string): number => Number(state[name]?.data[0]);

describe("a scaled loss", () => {
  test.each(golden.runs.map((run) => [`${run.optimizer}, clipped to ${run.clip}, ${run.accumulate} batches an update`, run] as const))(
    "moves weights and scale as PyTorch's GradScaler does: %s",
    async (_, { optimizer, clip, accumulate, trace }) => {
      const kept = await checkpointsOf({
        ...plan(),
        optimizer: optimizers[optimizer],
        accumulateSteps: accumulate,
        ...(clip !== null && { globalClipNorm: clip }),
      });
      for (const [i, expected] of trace.entries()) {
        const found = kept.find(({ step }) => step === (i + 1) * accumulate);
        const { state } = found ?? expect.fail(`no checkpoint of update ${i + 1}`);
        expect([numberOf(state, "loss_scale/scale"), numberOf(state, "loss_scale/good_steps")]).toEqual([expected.scale, expected.goodSteps]);
        toNumbers(state["w"]!).forEach((weight, at) => expect(weight).toBeCloseTo(expected.weights[at]!, 5));
      }
    },
  );

  test("leaves weights, slots and the optimizer's step as they were where the gradient is not finite, and an average of the weights too", async () => {
    const optimizer = adam({ learningRate: 0.05, ema: 0.9 });
    const kept = await checkpointsOf({ ...plan(), optimizer });
    const [before, after] = [4, 6].map((at) => kept.find(({ step }) => step === at)?.state ?? {}); // steps 6 and 7 overflow
    const overflowed = kept.find(({ step }) => step === 7)?.state ?? {};
    expect(numberOf(overflowed, "loss_scale/skipped") - numberOf(kept.find(({ step }) => step === 5)!.state, "loss_scale/skipped")).toBe(2);
    const names = Object.keys(overflowed).filter((name) => !name.startsWith("loss_scale/"));
    expect(names).toEqual(expect.arrayContaining(["w", "adam/v/w", "adam/h/w", "ema/w"]));
    for (const name of names) {
      expect(overflowed[name]).toEqual(after?.[name]);
      expect(overflowed[name]).not.toEqual(before?.[name]);
    }
    // The first step overflows: after two steps one is done, whose average is its weights.
    const { state, updates } = kept.find(({ step }) => step === 2)!;
    expect(averagedWeights(weightedSum(), { state, updates, optimizer }).state["w"]).toEqual(state["w"]);
  });

  test("goes on bit for bit from the checkpoint of any step", async () => {
    const straight = await checkpointsOf(plan());
    const last = straight.at(-1)!;
    for (const resume of straight.slice(0, -1)) {
      const resumed = await checkpointsOf({ ...plan(), resume });
      expect(resumed.at(-1)?.state).toEqual(last.state);
    }
  });

  test("says so when no scale makes the gradient finite", async () => {
    // The prediction is 1e18 and its square finite; the gradient, 1e18 times 1e38, is not.
    const data = {
      x: tensor(
        "float32",
        [8, 3],
        Array.from({ length: 24 }, () => 1e38),
      ),
      labels: tensor("float32", [8, 1], new Float32Array(8)),
    };
    const model = { ...weightedSum(), state: { w: tensor("float32", [3], [1e-20, 0, 0]) } };
    const run = fit({ ...plan(), model, train: tensorBatches(data, { batchSize: 2 }), lossScaling: { initialScale: 1e-5, backoffFactor: 0.1 } });
    await expect(run).rejects.toMatchObject({
      code: "LOSS_NOT_FINITE",
      message: expect.stringMatching(/gradients are not finite, down to a loss scale of 1.0e-9 in step 4/) as unknown,
    });
  });
});

test("numbers that scale nothing are refused", () => {
  expect(() => checkLossScaling({ backoffFactor: 1 })).toThrow(/backoffFactor must be a number between 0 and 1, not 1/);
  expect(() => checkLossScaling({ growthFactor: 1 })).toThrow(/growthFactor must be a number above 1/);
  expect(() => checkLossScaling({ growthInterval: 1.5 })).toThrow(/growthInterval must be a number whole, from 1/);
  expect(() => checkLossScaling({ initialScale: Infinity })).toThrow(/initialScale/);
  expect(exhaustedScale({})).toBeUndefined();
});
