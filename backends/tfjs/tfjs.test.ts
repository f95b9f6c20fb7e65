import { memory } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  adam,
  createTrainingGraph,
  GraphBuilder,
  mlp,
  scalar,
  softmaxCrossEntropy,
  tensor,
  zeros,
  type Backend,
  type Graph,
} from "../../core/index.ts";
import { openReference } from "../reference/index.ts";
import { openTfjs, tfjsWasmDriver, tfjsWebglDriver, tfjsWebgpuDriver } from "./index.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await openTfjs({ device: "wasm" });
});
afterAll(() => backend.dispose());

/** y = x w + b; afterwards w becomes 2 w and b becomes w: updates that read each other's old value. */
function exchange(): Graph {
  const builder = new GraphBuilder("exchange");
  const x = builder.input("x", "float32", ["batch", 2]);
  const w = builder.state("w", "float32", [2]);
  const b = builder.state("b", "float32", [2]);
  builder.output("y", builder.op("Add", [builder.op("Mul", [x, w]), b]));
  builder.update("w", builder.op("Mul", [w, builder.scalar(2, "float32")]));
  builder.update("b", w);
  return builder.build();
}

/** Rows of a table by number. */
function lookup(): Graph {
  const builder = new GraphBuilder("lookup");
  const rows = builder.input("rows", "int64", ["batch"]);
  builder.output("y", builder.op("Gather", [builder.state("table", "float32", [3, 2]), rows]));
  return builder.build();
}

const table = tensor("float32", [3, 2], [0, 1, 10, 11, 20, 21]);

describe("tfjs on wasm", () => {
  test("a run's updates are applied all at once, and shared state is seen by whoever shares it", async () => {
    const graph = exchange();
    const first = await backend.compile(graph, { state: { w: tensor("float32", [2], [1, 2]), b: tensor("float32", [2], [5, 6]) } });
    const second = await backend.compile(graph, { shareStateWith: first });
    const x = tensor("float32", [1, 2], [10, 10]);
    expect([...(await first.run({ x }))["y"]!.data]).toEqual([15, 26]); // 10 w + b
    expect([...(await second.run({ x }))["y"]!.data]).toEqual([21, 42]); // w is doubled, b is the old w
    expect(await first.readState(["b"])).toEqual({ b: tensor("float32", [2], [2, 4]) });
    await first.dispose();
    expect([...(await second.run({ x }))["y"]!.data]).toEqual([42, 84]);
    await second.dispose();
  });

  test("every tensor is freed: after runs of many batch sizes, refused runs and failed compilations", async () => {
    const before = memory().numTensors;
    const executable = await backend.compile(exchange(), {});
    for (let rows = 1; rows <= 20; rows++) await executable.run({ x: zeros("float32", [rows, 2]) });
    await expect(executable.run({ x: zeros("float32", [3, 5]) })).rejects.toMatchObject({ code: "TENSOR_INVALID" });
    await executable.writeState({ w: tensor("float32", [2], [3, 3]) });
    await executable.readState();
    await executable.dispose();
    await executable.dispose();
    const failing = await backend.compile(lookup(), { state: { table } });
    await expect(failing.run({ rows: tensor("int64", [1], [7]) })).rejects.toMatchObject({ code: "TENSOR_INVALID" });
    await failing.dispose();
    await expect(failing.run({ rows: tensor("int64", [1], [1]) })).rejects.toMatchObject({ code: "ARGUMENT_INVALID" });
    expect(memory().numTensors).toBe(before);
  });

  test("runs may overlap: each has the answer of its own feeds", async () => {
    const executable = await backend.compile(lookup(), { state: { table } });
    const answers = await Promise.all([0, 1, 2, -1].map((row) => executable.run({ rows: tensor("int64", [1], [row]) })));
    expect(answers.map((answer) => answer["y"]?.data[0])).toEqual([0, 10, 20, 20]);
    await executable.dispose();
  });

  test("results and fed memory belong to the caller", async () => {
    const builder = new GraphBuilder("same");
    builder.output("y", builder.op("Identity", [builder.input("x", "float32", ["batch"])]));
    const executable = await backend.compile(builder.build());
    const x = tensor("float32", [2], [1, 2]);
    const first = await executable.run({ x });
    (first["y"]!.data as Float32Array)[0] = 99; // the output y is float32
    expect([...x.data]).toEqual([1, 2]);
    expect([...(await executable.run({ x }))["y"]!.data]).toEqual([1, 2]);
    await executable.dispose();
  });

  test("whole numbers that do not fit 32 bits are refused, and an index outside its table is named", async () => {
    const executable = await backend.compile(lookup(), { state: { table } });
    await expect(executable.run({ rows: tensor("int64", [1], [2n ** 40n]) })).rejects.toThrow(/1099511627776.*32 bits/);
    await expect(executable.run({ rows: tensor("int64", [2], [0, 3]) })).rejects.toThrow(/index 3 is outside 0 to 2/);
    await executable.dispose();
  });

  test("a graph that cannot run is refused when it is compiled, with every fault", async () => {
    const builder = new GraphBuilder("doubles");
    builder.output("y", builder.op("Abs", [builder.input("c", "float64", [3])]));
    builder.output("z", builder.op("Neg", [builder.input("d", "float64", [2])]));
    await expect(backend.compile(builder.build())).rejects.toMatchObject({
      code: "BACKEND_OPERATOR_MISSING",
      message: expect.stringMatching(/"c" of float64.*"d" of float64/) as unknown,
    });
  });

  test("mixed precision is refused, with what there is instead", async () => {
    const model = mlp({ width: 4, head: { task: "classification", classes: 3 }, hidden: [8, 8] });
    const graph = createTrainingGraph(model, { loss: softmaxCrossEntropy(), optimizer: adam(), precision: "mixed_float16" });
    await expect(backend.compile(graph, { state: model.state })).rejects.toMatchObject({
      code: "BACKEND_OPERATOR_MISSING",
      message: expect.stringMatching(/of float16.* and \d+ more; it computes float32, .*precision "float32"/) as unknown,
    });
  });

  test("state of another backend is not shared", async () => {
    const reference = openReference();
    const other = await reference.compile(exchange());
    await expect(backend.compile(exchange(), { shareStateWith: other })).rejects.toMatchObject({ code: "ARGUMENT_INVALID" });
  });

  test("the bias correction of Adam keeps its digits at the first step", async () => {
    const builder = new GraphBuilder("adam");
    const parameters = [builder.state("x", "float32", [1]), builder.input("g", "float32", [1])];
    const slots = [builder.state("v", "float32", [1], { role: "slot" }), builder.state("h", "float32", [1], { role: "slot" })];
    const [x] = builder.ops("Adam", [builder.input("r", "float32", []), builder.input("t", "int64", []), ...parameters, ...slots], 3, {
      epsilon: 1e-8,
    });
    builder.output("x'", x!);
    const executable = await backend.compile(builder.build());
    const { "x'": next } = await executable.run({ r: scalar(0.1), t: scalar(1, "int64"), g: tensor("float32", [1], [3]) });
    // The first step of Adam is the rate, whatever the gradient: -r g / |g|
    expect(next?.data[0]).toBeCloseTo(-0.1, 7);
    await executable.dispose();
  });
});

describe("devices that Node does not have", () => {
  for (const driver of [tfjsWebglDriver, tfjsWebgpuDriver]) {
    test(`${driver.name} is absent with a reason, and opening it is refused`, async () => {
      expect(await driver.probe()).toMatchObject({ available: false });
      await expect(driver.open()).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE", message: expect.stringContaining(driver.name) as unknown });
    });
  }

  test("wasm is there", async () => {
    expect(await tfjsWasmDriver.probe()).toMatchObject({ available: true, software: false });
  });
});
