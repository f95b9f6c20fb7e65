import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { create, globals } from "webgpu";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { dawnDriver } from "../../backends/webgpu/dawn.ts";
import { openWebGpu, webGpuDriver, type WebGpuBackend } from "../../backends/webgpu/index.ts";
import {
  adam,
  convNet,
  createEvaluationGraph,
  createTrainingGraph,
  GraphBuilder,
  mlp,
  Random,
  sgd,
  softmaxCrossEntropy,
  tensor,
  toNumbers,
  type Graph,
  type Model,
  type Optimizer,
  type Tensors,
} from "../../core/index.ts";
import { openSoftwareDawn, provideVulkan } from "../support/dawn.ts";
import { compareTensors } from "./compare.ts";

// What the engine promises besides right numbers, tried out over Dawn on a software adapter.
const reference = openReference();
let backend: WebGpuBackend;

beforeAll(async () => {
  backend = await openSoftwareDawn();
});

afterEach(() => {
  vi.restoreAllMocks();
});

afterAll(async () => {
  await backend.dispose();
});

const image = { name: "image", shape: [2, 8, 8] } as const;
const network = convNet({ shape: image.shape, head: { task: "classification", classes: 4 }, filters: [5, 6], units: 12 });
const features = { name: "features", shape: [7] } as const;
const perceptron = mlp({ width: 7, head: { task: "classification", classes: 4 }, hidden: [9, 8], activation: "tanh" });

test.each<[string, Model, { name: string; shape: readonly number[] }, Optimizer, boolean]>([
  ["a convolutional network with Adam", network, image, adam({ learningRate: 0.01 }), false],
  ["a convolutional network with Adam, in tiles", network, image, adam({ learningRate: 0.01, weightDecay: 0.01 }), true],
  ["a perceptron with Nesterov momentum", perceptron, features, sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01 }), false],
])("50 training steps of %s have the reference backend's losses to 1e-4, and its state", async (_, model, input, optimizer, tiles) => {
  const own = tiles ? await openSoftwareDawn({ tiles }) : backend;
  const graph = createTrainingGraph(model, { loss: softmaxCrossEntropy(), optimizer });
  const [tested, trusted] = [await own.compile(graph, { state: model.state }), await reference.compile(graph, { state: model.state })];
  for (let step = 1; step <= 50; step += 1) {
    const feeds = trainingFeeds(input, { batch: step % 10 === 0 ? 5 : 16, step }); // the last batch of an epoch is smaller
    const [given, wanted] = [await tested.run(feeds), await trusted.run(feeds)];
    expect(Math.abs(lossOf(given) - lossOf(wanted))).toBeLessThan(1e-4);
  }
  compareTensors(await tested.readState(), await trusted.readState(), { tolerance: 1e-3, what: "state after 50 steps" });
  await tested.dispose();
  if (tiles) await own.dispose();
});

test("a training step is one submission, makes no bind group and no buffer, and fuses to at most 30 dispatches", async () => {
  const graph = createTrainingGraph(network, { loss: softmaxCrossEntropy(), optimizer: adam() });
  const executable = await backend.compile(graph, { state: network.state });
  await executable.run(trainingFeeds(image, { batch: 4, step: 1 }));
  const prototypes = globals as { GPUQueue: { prototype: GPUQueue }; GPUDevice: { prototype: GPUDevice } }; // the package says Object
  const submit = vi.spyOn(prototypes.GPUQueue.prototype, "submit");
  const made = (["createBindGroup", "createBuffer", "createShaderModule"] as const).map((name) => vi.spyOn(prototypes.GPUDevice.prototype, name));
  await executable.run(trainingFeeds(image, { batch: 4, step: 2 }));
  expect(submit).toHaveBeenCalledTimes(1);
  for (const spy of made) expect(spy).not.toHaveBeenCalled();
  expect((await executable.describePlan(4)).dispatches).toBeLessThanOrEqual(30);
  await executable.dispose();
});

test("state is shared between batch sizes and executables, and no buffer is left when all of them are disposed", async () => {
  const before = backend.liveBuffers;
  const training = await backend.compile(createTrainingGraph(perceptron, { loss: softmaxCrossEntropy(), optimizer: adam() }), {
    state: perceptron.state,
  });
  const evaluation = await backend.compile(createEvaluationGraph(perceptron, { loss: softmaxCrossEntropy() }), { shareStateWith: training });
  const { learning_rate: _, step: __, ...feeds } = trainingFeeds(features, { batch: 16, step: 1 });
  const first = lossOf(await evaluation.run(feeds));
  for (let step = 1; step <= 7; step += 1) await training.run(trainingFeeds(features, { batch: step, step })); // more batch sizes than plans are kept
  expect(lossOf(await evaluation.run(feeds))).not.toBe(first);
  await evaluation.writeState(perceptron.state);
  expect(lossOf(await evaluation.run(feeds))).toBe(first);
  await training.dispose();
  expect(lossOf(await evaluation.run(feeds))).toBe(first); // shared state lives as long as its last user
  await evaluation.dispose();
  await evaluation.dispose();
  expect(backend.liveBuffers).toBe(before);
  await expect(evaluation.run(feeds)).rejects.toMatchObject({ code: "ARGUMENT_INVALID" });
});

test("a label outside the classes fails the run with node and label, leaves the state as it was, and the next run works", async () => {
  const graph = createTrainingGraph(perceptron, { loss: softmaxCrossEntropy(), optimizer: adam() });
  const executable = await backend.compile(graph, { state: perceptron.state });
  const good = trainingFeeds(features, { batch: 3, step: 1 });
  const bad = { ...good, labels: tensor("int32", [3], [0, 17, 1]) };
  const before = await executable.readState();
  await expect(executable.run(bad)).rejects.toMatchObject({
    code: "BACKEND_RUN_FAILED",
    message: expect.stringMatching(/label 17 is outside the 4 classes/),
  });
  expect(await executable.readState()).toEqual(before);
  expect(lossOf(await executable.run(good))).toBeGreaterThan(0);
  await executable.dispose();
});

test("an update from another state's old value swaps them, also when an element was gathered on the way", async () => {
  const b = new GraphBuilder("swap");
  const [left, right] = [b.state("left", "float32", [2]), b.state("right", "float32", [2])];
  b.update("left", b.op("Gather", [right, b.input("places", "int32", [2])]));
  b.update("right", left);
  b.output("old", left);
  const executable = await backend.compile(b.build(), { state: { left: tensor("float32", [2], [1, 2]), right: tensor("float32", [2], [3, 4]) } });
  expect(numbersOf(await executable.run({ places: tensor("int32", [2], [1, 0]) }))).toEqual({ old: [1, 2] });
  expect(numbersOf(await executable.readState())).toEqual({ left: [4, 3], right: [1, 2] });
  await expect(executable.run({ places: tensor("int32", [2], [1, 5]) })).rejects.toThrow(/index 5 is outside an axis of size 2/);
  expect(numbersOf(await executable.readState())).toEqual({ left: [4, 3], right: [1, 2] });
  await executable.dispose();
});

test("an optimizer whose new values are also returned or whose step is computed in the graph gives the same as reference", async () => {
  const b = new GraphBuilder("returned");
  const [x, v, h] = (["x", "v", "h"] as const).map((name) => b.state(name, "float32", [5]));
  const step = b.op("Add", [b.input("before", "int64", []), b.scalar(1, "int64")]);
  const results = b.ops("Adam", [b.input("rate", "float32", []), step, x, b.input("g", "float32", [5]), v, h], 3);
  (["x", "v", "h"] as const).forEach((name, i) => b.update(name, results[i]!));
  b.output("next", results[0]!);
  b.output("old", x!);
  const graph = b.build();
  const [tested, trusted] = [await backend.compile(graph), await reference.compile(graph)];
  for (let t = 0; t < 4; t += 1) {
    const feeds = { before: tensor("int64", [], [t]), rate: tensor("float32", [], [0.1]), g: tensor("float32", [5], [1, -2, 3, 0.5, t]) };
    const [given, wanted] = [await tested.run(feeds), await trusted.run(feeds)];
    expect(() => compareTensors(given, wanted, { tolerance: 1e-5, what: `step ${t}` })).not.toThrow();
  }
  compareTensors(await tested.readState(), await trusted.readState(), { tolerance: 1e-5, what: "state" });
  await tested.dispose();
});

test("runs that are asked for at once are done one after the other", async () => {
  const executable = await backend.compile(counterGraph());
  const results = await Promise.all([1, 2, 3, 4].map(async (by) => await executable.run({ by: tensor("float32", [], [by]) })));
  expect(results.map((result) => toNumbers(result["total"]!)[0])).toEqual([1, 3, 6, 10]);
  await executable.dispose();
});

test("feeds that do not fit are refused before anything runs, and an int64 beyond 32 bits with its value", async () => {
  const b = new GraphBuilder("wide");
  b.output("y", b.op("Add", [b.input("x", "int64", ["batch"]), b.scalar(1, "int64")]));
  const executable = await backend.compile(b.build());
  expect(numbersOf(await executable.run({ x: tensor("int64", [2], [-5, 41]) }))).toEqual({ y: [-4, 42] });
  await expect(executable.run({ x: tensor("int64", [1], [5_000_000_000n]) })).rejects.toMatchObject({
    code: "TENSOR_INVALID",
    message: expect.stringMatching(/feed "x" holds 5000000000/),
  });
  await expect(executable.run({ x: tensor("int32", [1], [5]) })).rejects.toMatchObject({ code: "TENSOR_INVALID" });
  await executable.dispose();
});

test("a graph with float64 is refused when it is compiled", async () => {
  const b = new GraphBuilder("double");
  b.output("y", b.op("Neg", [b.input("x", "float64", [2])]));
  await expect(backend.compile(b.build())).rejects.toMatchObject({ code: "GRAPH_INVALID", message: expect.stringMatching(/"x" .*float64/) });
});

test("outputs that are a feed, a constant, a state or the same value twice come back right", async () => {
  const b = new GraphBuilder("plain");
  const x = b.input("x", "float32", ["batch", 2]);
  b.output("x", x);
  b.output("wide", b.op("Reshape", [x, b.ints([0, 1, 2])]));
  b.output("constant", b.constant(tensor("uint8", [3], [1, 2, 255])));
  b.output("state", b.state("s", "bool", [2]));
  b.output("empty", b.op("Slice", [x, b.ints([0]), b.ints([0]), b.ints([1])]));
  const executable = await backend.compile(b.build(), { state: { s: tensor("bool", [2], [0, 1]) } });
  expect(await executable.run({ x: tensor("float32", [1, 2], [7, 8]) })).toEqual({
    x: tensor("float32", [1, 2], [7, 8]),
    wide: tensor("float32", [1, 1, 2], [7, 8]),
    constant: tensor("uint8", [3], [1, 2, 255]),
    state: tensor("bool", [2], [0, 1]),
    empty: tensor("float32", [1, 0], []),
  });
  await executable.dispose();
});

test("a device that is lost fails the pending run and all later ones with BACKEND_LOST and the reason", async () => {
  const { gpu, devices } = await watchedGpu();
  const own = await openWebGpu({ gpu });
  const executable = await own.compile(counterGraph());
  await executable.run({ by: tensor("float32", [], [1]) });
  const pending = executable.run({ by: tensor("float32", [], [1]) });
  devices[0]!.destroy();
  await expect(pending).rejects.toMatchObject({ code: "BACKEND_LOST", message: expect.stringMatching(/destroyed/) });
  await expect(executable.run({ by: tensor("float32", [], [1]) })).rejects.toMatchObject({ code: "BACKEND_LOST" });
  await expect(executable.readState()).rejects.toMatchObject({ code: "BACKEND_LOST" });
  await expect(own.compile(counterGraph())).rejects.toMatchObject({ code: "BACKEND_LOST" });
  await own.dispose();
});

test("an error that the GPU reports to nobody in particular fails every later run", async () => {
  const { gpu, devices } = await watchedGpu();
  const own = await openWebGpu({ gpu });
  const executable = await own.compile(counterGraph());
  await executable.run({ by: tensor("float32", [], [1]) });
  devices[0]!.createBuffer({ size: 4, usage: 0 }); // no usage is invalid
  await devices[0]!.queue.onSubmittedWorkDone();
  await expect(executable.run({ by: tensor("float32", [], [1]) })).rejects.toMatchObject({ code: "BACKEND_RUN_FAILED" });
  await own.dispose();
});

test("work that the device drops without a word is noticed by the counter that every run reads", async () => {
  await provideVulkan();
  const own = await openWebGpu({ gpu: create(["backend=null"]) }); // accepts everything and computes nothing
  const executable = await own.compile(counterGraph());
  await expect(executable.run({ by: tensor("float32", [], [1]) })).rejects.toThrow(/finished 0 runs of 1/);
  await own.dispose();
});

test("a runtime without WebGPU and one without an adapter are absent values, and opening them says what to do", async () => {
  const none = { requestAdapter: async () => null } as unknown as GPU; // the one call that is made
  for (const driver of [webGpuDriver({ gpu: undefined }), webGpuDriver({ gpu: none })]) {
    expect(await driver.probe()).toMatchObject({
      available: false,
      reason: expect.any(String),
      install: expect.stringMatching(/browser with WebGPU/),
    });
    await expect(driver.open()).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
  }
});

test("the driver for Node finds the software adapter and says that it is one", async () => {
  await provideVulkan();
  expect(await dawnDriver().probe()).toEqual({ available: true, device: expect.stringMatching(/SwiftShader.*\(software\)/), software: true });
});

test("a process that disposed of the backend ends by itself", async () => {
  const script = `
    const { openSoftwareDawn } = await import(${JSON.stringify(new URL("../support/dawn.ts", import.meta.url).href)});
    const backend = await openSoftwareDawn();
    await backend.dispose();
    console.log("disposed");
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { timeout: 60_000 });
  expect(stdout.trim()).toBe("disposed");
});

function trainingFeeds({ name, shape }: { name: string; shape: readonly number[] }, { batch, step }: { batch: number; step: number }): Tensors {
  const random = new Random(step);
  const count = shape.reduce((product, size) => product * size, batch);
  return {
    [name]: tensor("float32", [batch, ...shape], random.normals(count)),
    labels: tensor(
      "int32",
      [batch],
      Array.from({ length: batch }, () => random.integer(4)),
    ),
    learning_rate: tensor("float32", [], [0.01]),
    step: tensor("int64", [], [step]),
  };
}

/** total += by. */
function counterGraph(): Graph {
  const b = new GraphBuilder("counter");
  const total = b.op("Add", [b.state("total", "float32", []), b.input("by", "float32", [])]);
  b.update("total", total);
  b.output("total", total);
  return b.build();
}

/** Dawn, with the devices that were made. */
async function watchedGpu(): Promise<{ gpu: GPU; devices: readonly GPUDevice[] }> {
  await provideVulkan();
  const real = create([]);
  const devices: GPUDevice[] = [];
  const requestAdapter = async (options?: GPURequestAdapterOptions): Promise<GPUAdapter> => {
    const adapter = await real.requestAdapter(options);
    if (adapter === null) throw new Error("Dawn has no adapter");
    const requestDevice = async (descriptor?: GPUDeviceDescriptor): Promise<GPUDevice> => {
      const device = await adapter.requestDevice(descriptor);
      devices.push(device);
      return device;
    };
    return { limits: adapter.limits, info: adapter.info, features: adapter.features, requestDevice } as unknown as GPUAdapter; // all that is used
  };
  return { gpu: { requestAdapter, real } as unknown as GPU, devices }; // `real` keeps Dawn alive
}

function lossOf(outputs: Tensors): number {
  return toNumbers(outputs["loss"]!)[0]!;
}

function numbersOf(tensors: Tensors): Record<string, readonly number[]> {
  return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name, toNumbers(value)]));
}
