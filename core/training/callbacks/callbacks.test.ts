import { describe, expect, test } from "vitest";
import { openReference } from "../../../backends/reference/index.ts";
import { mlp } from "../../models/mlp.ts";
import type { FitOptions } from "../fit-options.ts";
import { fit } from "../fit.ts";
import { softmaxCrossEntropy } from "../losses/index.ts";
import { memoryCheckpoints } from "../memory-checkpoints.ts";
import { adam } from "../optimizers/index.ts";
import { plateauSchedule } from "../schedules/index.ts";
import { batchesOf } from "../testing/batches.ts";
import { blobs } from "../testing/synthetic.ts";
import type { Callback } from "./callback.ts";
import { earlyStopping } from "./early-stopping.ts";
import { progress } from "./progress.ts";

function plan(): FitOptions {
  return {
    model: mlp({ width: 2, head: { task: "classification", classes: 3 }, hidden: [8], seed: 5 }),
    backend: openReference(),
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate: 0.05 }),
    train: batchesOf(blobs({ rows: 48, seed: 1 }), 16),
    validation: batchesOf(blobs({ rows: 30, seed: 2 }), 16),
    epochs: 6,
  };
}

describe("a callback", () => {
  test("hears everything in order, and sees weights", async () => {
    const heard: string[] = [];
    const note = (what: string): void => void heard.push(what);
    const spy: Callback = {
      name: "spy",
      onStart: ({ epochs }, run) => note(`start of ${epochs}: ${run.numbers.join(" ")}`),
      onStep: ({ step }) => note(`step ${step}`),
      async onEpoch({ record }, run) {
        note(`epoch ${record.epoch} ${Object.keys(await run.readWeights()).join(" ")}`);
      },
      onCheckpoint: ({ step }) => note(`checkpoint ${step}`),
      onEnd: (event) => note(`end ${event?.reason}`),
    };
    await fit({ ...plan(), epochs: 1, callbacks: [spy], checkpoints: memoryCheckpoints() });
    const state = Object.keys(plan().model.state).join(" ");
    expect(heard).toEqual([
      "start of 1: loss learningRate validation.loss validation.accuracy",
      "checkpoint 0",
      "step 1",
      "step 2",
      "step 3",
      `epoch 1 ${state}`,
      "checkpoint 3",
      "end finished",
    ]);
  });

  test("ends training in the midst of an epoch, with its reason told and a checkpoint to go on from", async () => {
    const checkpoints = memoryCheckpoints();
    const why = "an hour is over";
    const hour: Callback = { name: "hour", onStep: ({ step }, run) => (step === 4 ? run.stop(why) : undefined) };
    const said: unknown[] = [];
    const stopped = await fit({ ...plan(), checkpoints, callbacks: [hour], onEvent: (event) => void (event.kind === "stopped" && said.push(event)) });
    expect(stopped).toMatchObject({ reason: "stopped", steps: 4 });
    expect(said).toMatchObject([{ reason: "stopped", why }]);
    const resume = await checkpoints.load("last");
    expect(resume).toMatchObject({ step: 4, epoch: 2 });
    const resumed = await fit({ ...plan(), resume: resume! });
    expect(resumed.model.state).toEqual((await fit(plan())).model.state);
  });

  test("closes what it opened after a failure, and its own failure then does not hide the first", async () => {
    const ends: unknown[] = [];
    const first: Callback = {
      name: "first",
      onEnd(event) {
        ends.push(event);
        throw new Error("closing failed");
      },
    };
    const failing: Callback = { name: "failing", onStep: () => Promise.reject(new Error("the disk is full")) };
    await expect(fit({ ...plan(), callbacks: [first, failing, { ...first, name: "second" }] })).rejects.toThrow("the disk is full");
    expect(ends).toEqual([undefined, undefined]);
  });

  test("needs a name of its own", async () => {
    const twice = { ...plan(), callbacks: [{ name: "log" }, { name: "log" }] };
    await expect(fit(twice)).rejects.toMatchObject({ code: "ARGUMENT_INVALID", message: expect.stringContaining('two callbacks are called "log"') });
  });
});

test.each<[string, unknown, string]>([
  ["null", { seen: { last: null } }, "null as its state.seen.last"],
  ["undefined", { seen: undefined }, "undefined as its state.seen"],
  ["a bigint", { rows: [1, 2n] }, "bigint as its state.rows[1]"],
  ["a Map", { seen: new Map() }, "Map as its state.seen"],
  ["a typed array", { sums: new Float32Array(2) }, "Float32Array as its state.sums"],
  ["a list", [1], "Array as its state"],
  ["a function", { next: () => 1 }, "function as its state.next"],
])("a callback's state that holds %s is refused before a checkpoint is spoilt by it", async (_what, state, message) => {
  const checkpoints = memoryCheckpoints();
  const careless: Callback = { name: "careless", state: () => state as never }; // as plain JavaScript may do
  await expect(fit({ ...plan(), checkpoints, callbacks: [careless] })).rejects.toMatchObject({
    code: "ARGUMENT_INVALID",
    message: expect.stringContaining(`"careless" wants to remember ${message}`),
  });
  expect(await checkpoints.load("last")).toBeUndefined();
});

describe("early stopping", () => {
  /** A metric that follows a script. */
  const scripted = (values: readonly number[]): FitOptions => {
    let epoch = 0;
    const metric = { name: "score", start: () => ({ add: () => undefined, result: () => values[epoch++] ?? 0 }) };
    return { ...plan(), epochs: values.length, metrics: [metric] };
  };

  test("watches a number that is better when it is higher, and the best epoch's weights come back", async () => {
    const options = scripted([0.1, 0.5, 0.4, 0.45, 0.3, 0.9]);
    const result = await fit({ ...options, earlyStopping: { patience: 3, metric: "validation.score", mode: "max" } });
    expect(result).toMatchObject({ reason: "early-stopping", bestEpoch: 2 });
    expect(result.history).toHaveLength(5);
    const last = await fit({ ...scripted([0.1, 0.5]), monitor: { metric: "validation.score", mode: "max" }, weights: "last" });
    expect(result.model.state).toEqual(last.model.state);
  });

  test("takes an improvement below minDelta for none, and NaN for worse", async () => {
    const watch = { metric: "validation.score", mode: "max" } as const;
    const small = await fit({ ...scripted([0.5, 0.51, 0.52, 0.53, 0.54]), earlyStopping: { patience: 2, minDelta: 0.1, ...watch } });
    expect(small).toMatchObject({ reason: "early-stopping", bestEpoch: 3 }); // the weights are those of the highest number all the same
    const nan = await fit({ ...scripted([0.5, Number.NaN, Number.NaN, 1]), earlyStopping: { patience: 2, ...watch } });
    expect(nan).toMatchObject({ reason: "early-stopping", bestEpoch: 1 });
    expect(nan.history).toHaveLength(3);
  });

  test("may be a second one on another number, and waits for its first epoch", async () => {
    const second = earlyStopping({ patience: 1, metric: "validation.score", mode: "min", startFromEpoch: 3 }, "second");
    const result = await fit({ ...scripted([1, 2, 3, 4, 5]), callbacks: [second] });
    expect(result.history).toHaveLength(4);
  });

  test("refuses what it cannot watch", async () => {
    const run = (stopping: FitOptions["earlyStopping"]): Promise<unknown> => fit({ ...plan(), earlyStopping: stopping! });
    await expect(run({ patience: 0 })).rejects.toThrow(/patience must be a whole number from 1, not 0/);
    await expect(run({ patience: 1, minDelta: -1 })).rejects.toThrow(/minDelta must be a number from 0, not -1/);
    await expect(run({ patience: 1, metric: "validation.acuracy", mode: "max" })).rejects.toThrow(/did you mean "validation.accuracy"/);
    await expect(run({ patience: 1, metric: "validation.accuracy" })).rejects.toThrow(/better when it is lower or higher/);
  });
});

test("progress is a line for every epoch with its numbers, rate and remaining time", async () => {
  const lines: string[] = [];
  let now = 0;
  await fit({ ...plan(), epochs: 2, clock: () => (now += 5), callbacks: [progress({ write: (line) => void lines.push(line) })] });
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(/^\d+ parameters, 2 epochs on reference/);
  expect(lines[1]).toMatch(/^epoch 1\/2 {2}loss [\d.]+ {2}validation\.loss [\d.]+ {2}validation\.accuracy [\d.]+ {2}\d+ rows\/s {2}ETA \d+ s$/);
  expect(lines[3]).toMatch(/^finished after epoch 2; the best was epoch [12]$/);
});

test("a schedule on a number that the run will not have is refused before the first step", async () => {
  const steps: number[] = [];
  const wrong = {
    ...plan(),
    schedule: plateauSchedule({ monitor: "validation.acuracy", mode: "max" }),
    onEvent: ({ kind }: { kind: string }) => void (kind === "step" && steps.push(1)),
  };
  await expect(fit(wrong)).rejects.toMatchObject({
    code: "ARGUMENT_INVALID",
    message: expect.stringContaining('did you mean "validation.accuracy"?'),
  });
  expect(steps).toEqual([]);
});
