import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  adam,
  convNet,
  createTrainingGraph,
  profile,
  scalar,
  softmaxCrossEntropy,
  tensor,
  toNumbers,
  type Backend,
  type Tensors,
} from "../../core/index.ts";
import { openOnnxRuntime } from "./backend.ts";
import { parseProfile } from "./profiling.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await openOnnxRuntime({ threads: 1 });
});
afterAll(() => backend.dispose());

const model = convNet({ shape: [1, 8, 8], head: { task: "classification", classes: 10 } });
const graph = createTrainingGraph(model, { loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 0.01 }) });

function feedsOf(rows: number): Tensors {
  const input = graph.inputs.find(({ shape }) => shape.length === 4)?.name ?? "";
  return {
    [input]: tensor("float32", [rows, 1, 8, 8], new Float32Array(rows * 64).fill(0.5)),
    labels: tensor("int32", [rows], new Int32Array(rows)),
    learning_rate: scalar(0.01),
    step: scalar(1, "int64"),
  };
}

test("ONNX Runtime's own profile is told by the graph's nodes, in all phases", { timeout: 60_000 }, async () => {
  const found = await profile({ backend, graph, state: model.state, feeds: feedsOf(64), clock: () => performance.now(), runs: 5 });
  const rows = found.rows ?? expect.fail("onnxruntime times its kernels");
  for (const [operator, phase] of [
    ["Conv", "forward"],
    ["ConvWeightGrad", "backward"],
    ["Adam", "update"],
  ]) {
    expect(rows.find((row) => row.operator === operator)).toMatchObject({ phase, timeMs: expect.any(Number) });
  }
  const kernels = rows.reduce((sum, { timeMs }) => sum + timeMs, found.otherMs);
  expect(found.otherMs).toBeLessThan(kernels / 2);
  expect(kernels).toBeGreaterThan(0);
});

test("a profiled run is a run: it updates the state as any other", async () => {
  const [one, other] = [await backend.compile(graph, { state: model.state }), await backend.compile(graph, { state: model.state })];
  const timings = await one.profile!(feedsOf(4));
  await other.run(feedsOf(4));
  const [profiled, plain] = [await one.readState(), await other.readState()];
  for (const [name, value] of Object.entries(plain)) expect(toNumbers(profiled[name]!)).toEqual(toNumbers(value));
  expect(timings.every(({ durationMs, startMs }) => durationMs >= 0 && startMs >= 0)).toBe(true);
  await one.dispose();
  await other.dispose();
});

test("a profile that is not one is refused", () => {
  expect(() => parseProfile("")).toThrow(/profile is not JSON/);
  expect(() => parseProfile("[]")).toThrow(/has no run in it/);
});

test("memory is estimated within a factor of 3 of what ONNX Runtime takes at its peak", { timeout: 120_000 }, async () => {
  const script = join(import.meta.dirname, "testing/peak-memory.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script, "256"]);
  const { measured, estimated } = JSON.parse(stdout) as { measured: number; estimated: number }; // the script's own form
  expect(estimated).toBeGreaterThan(50e6); // so that what the library takes by itself is small beside it
  expect(measured / estimated).toBeGreaterThan(1 / 3);
  expect(measured / estimated).toBeLessThan(3);
});

test("a product that ONNX Runtime joins with its activation, and a pooling in its blocked layout, are told by their own nodes", async () => {
  const input = model.graph.inputs[0]?.name ?? "";
  const feeds = { [input]: tensor("float32", [8, 1, 8, 8], new Float32Array(512)) };
  const { graph: forward, state } = model;
  const found = await profile({ backend, graph: forward, state, feeds, clock: () => performance.now(), runs: 1 });
  const operators = new Set(found.rows?.map(({ operator }) => operator));
  for (const operator of ["Conv", "MaxPool", "Gemm"]) expect(operators).toContain(operator);
  expect(found.timeline.filter(({ origin, node }) => origin === undefined && /Gemm|MaxPool|Conv/.test(node))).toEqual([]);
});
