import { describe, expect, it } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import type { Column, Columns } from "../columns.ts";
import { Random } from "../random.ts";
import { rowSource } from "../data/row-source.ts";
import { prepareTable } from "./prepare-table.ts";
import type { Candidate } from "./train-candidate.ts";
import { chooseBest, type TableEvent, trainTable } from "./train-table.ts";

/** Two numbers and a colour that decide about a label, with rows whose label is missing. */
function table(rows: number): Columns {
  const random = new Random(3);
  const [x, y] = [random.uniforms(rows, { low: -1, high: 1 }), random.uniforms(rows, { low: -1, high: 1 })];
  const colours = Int32Array.from({ length: rows }, () => random.integer(3) - 1);
  const labels = Int32Array.from({ length: rows }, (_, i) => (i % 25 === 0 ? -1 : x[i]! + y[i]! + 0.5 * colours[i]! > 0 ? 1 : 0));
  return {
    length: rows,
    columns: new Map<string, Column>([
      ["x", { kind: "number", values: Float64Array.from(x) }],
      ["y", { kind: "number", values: Float64Array.from(y, (value, i) => (i % 10 === 0 ? NaN : value)) }],
      ["colour", { kind: "string", codes: colours, dictionary: ["red", "blue"] }],
      ["row", { kind: "number", values: Float64Array.from({ length: rows }, (_, i) => i) }],
      ["label", { kind: "string", codes: labels, dictionary: ["no", "yes"] }],
    ]),
  };
}

describe("prepareTable", () => {
  it("drops rows without a target, leaves out what cannot help and fits on training rows only", async () => {
    const prepared = await prepareTable(rowSource(table(200)), { target: "label", seed: 1 });
    expect(prepared.droppedRows).toBe(8);
    expect(prepared.leftOut).toEqual([]); // dropping rows made the row numbers gaps: they are a number like others then
    const { train, validation, test } = prepared.parts;
    expect(train.length + validation.length + test.length).toBe(192);
    const x = prepared.features.features[0]!;
    const values = train.columns.get("x");
    if (x.kind !== "number" || values?.kind !== "number") throw new Error("expected a number");
    expect(x.mean).toBeCloseTo(values.values.reduce((sum, value) => sum + value, 0) / train.length, 12);
  });

  it("refuses a table in which nothing but the target is left", async () => {
    const only: Columns = { length: 200, columns: new Map([...table(200).columns].filter(([name]) => name === "label")) };
    await expect(prepareTable(rowSource(only), { target: "label", seed: 1 })).rejects.toMatchObject({ code: "DATA_EMPTY" });
  });
});

describe("trainTable", () => {
  it("trains the linear floor and the network, keeps the better on validation rows, and tells everything", { timeout: 30_000 }, async () => {
    const backend = openReference();
    const events: TableEvent[] = [];
    const options = { target: "label", seed: 1, backend, epochs: 8, ignore: ["row"], onEvent: (event: TableEvent) => void events.push(event) };
    const { candidates, best } = await trainTable(table(400), options);
    expect(candidates.map(({ name }) => name)).toEqual(["linear", "network"]);
    expect(best.test["accuracy"]).toBeGreaterThan(0.8);
    expect(events.map(({ kind }) => kind).filter((kind, i, all) => kind !== all[i - 1])).toEqual([
      "prepared",
      "training",
      "trained",
      "training",
      "trained",
    ]);
    const again = await trainTable(table(400), options);
    expect(again.best.model.state).toEqual(best.model.state);
    expect((await trainTable(table(400), { ...options, seed: 2 })).best.model.state).not.toEqual(best.model.state);
    await backend.dispose();
  });

  it("keeps the linear model when the network diverges beside it, and tells of the step", async () => {
    const backend = openReference();
    const events: TableEvent[] = [];
    // At this rate the weights are +-1e10 after a step: a product of three layers has gradients whose squares are no float32, one of a single layer has not.
    const options = { target: "label", seed: 1, backend, epochs: 2, learningRate: 1e10, onEvent: (event: TableEvent) => void events.push(event) };
    const { best, candidates, diverged } = await trainTable(table(200), options);
    expect(candidates.map(({ name }) => name)).toEqual(["linear"]);
    expect(best.name).toBe("linear");
    expect(best.test["accuracy"]).toBeGreaterThan(0.6);
    expect(diverged).toMatchObject([{ model: "network", step: 2, epoch: 1, node: "Adam" }]);
    expect(diverged[0]!.learningRate).toBeCloseTo(1e10, -9);
    expect(events.at(-1)).toEqual({ kind: "diverged", diverged: diverged[0] });
    await expect(trainTable(table(200), { ...options, model: "network" })).rejects.toMatchObject({ code: "LOSS_NOT_FINITE" });
    await backend.dispose();
  });

  it("fails when every model diverges, with the simplest one's step", async () => {
    const backend = openReference();
    const training = trainTable(table(200), { target: "label", seed: 1, backend, epochs: 2, learningRate: 3e38 });
    await expect(training).rejects.toMatchObject({
      code: "LOSS_NOT_FINITE",
      message: expect.stringMatching(/^every model diverged \(linear, network\); fit: .* in step \d+ of epoch 1 .*lower the learning rate/s),
      details: { models: ["linear", "network"], epoch: 1 },
    });
    await backend.dispose();
  });

  it("stops when its signal says so", async () => {
    const backend = openReference();
    const controller = new AbortController();
    const stopping = trainTable(table(100), {
      target: "label",
      seed: 1,
      backend,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.kind === "training" && event.event.kind === "step" && event.event.step === 3) controller.abort();
      },
    });
    await expect(stopping).rejects.toMatchObject({ code: "CANCELLED", message: expect.stringContaining("step 3") });
    await backend.dispose();
  });
});

describe("chooseBest", () => {
  const candidate = (name: "linear" | "network", logLoss: number): Candidate => ({ name, validation: { logLoss } }) as unknown as Candidate; // no more is looked at
  const target = { task: "classification", column: "y", classes: ["a", "b"], numeric: false } as const;

  it("takes the lower loss on validation rows, and the simpler of equals", () => {
    expect(chooseBest(target, [candidate("linear", 0.3), candidate("network", 0.2)]).name).toBe("network");
    expect(chooseBest(target, [candidate("linear", 0.2), candidate("network", 0.2)]).name).toBe("linear");
  });
});
