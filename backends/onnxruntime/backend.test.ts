import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  adam,
  conv2D,
  createTrainingGraph,
  dense,
  flatten,
  GraphBuilder,
  maxPooling2D,
  Random,
  scalar,
  sequential,
  softmaxCrossEntropy,
  tensor,
  toNumbers,
  type Backend,
  type Graph,
  type Tensor,
  type Tensors,
} from "../../core/index.ts";
import { openOnnxRuntime } from "./backend.ts";

const ways = [
  { where: "in a worker thread", options: { thread: "worker" } },
  { where: "in the calling thread", options: { thread: "inline" } },
  { where: "in the calling thread by onnxruntime-node's own calls", options: { thread: "inline", binding: "onnxruntime-node" } },
] as const;
for (const { where, options } of ways) {
  describe(`training and inference ${where}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await openOnnxRuntime({ ...options, threads: 1 });
    });
    afterAll(() => backend.dispose());

    test("weights are packed into the model, and written state is used by the next run", async () => {
      const executable = await backend.compile(affine(), { state: { w: column(2, 3) } });
      expect(toNumbers((await executable.run({ x: row(1, 1) }))["y"] as Tensor)).toEqual([5]);
      await executable.writeState({ w: column(10, 20) });
      expect(toNumbers((await executable.run({ x: row(1, 1) }))["y"] as Tensor)).toEqual([30]);
      expect(toNumbers((await executable.readState())["w"] as Tensor)).toEqual([10, 20]);
      await executable.dispose();
    });

    test("an executable that was compiled first sees what a training graph that shares its state writes", async () => {
      const evaluation = await backend.compile(affine(), { state: { w: column(2, 3) } });
      await evaluation.run({ x: row(1, 1) });
      const counting = await backend.compile(doublesState(), { shareStateWith: evaluation });
      await counting.run({});
      await counting.run({});
      expect(toNumbers((await evaluation.run({ x: row(1, 1) }))["y"] as Tensor)).toEqual([20]);
      await evaluation.dispose();
      expect(toNumbers((await counting.readState())["w"] as Tensor)).toEqual([8, 12]);
      await counting.dispose();
    });

    test("large and small feeds of changing sizes are read anew in every run, and the caller's memory may change after it", async () => {
      const builder = new GraphBuilder("sum of rows");
      const [x, factor] = [builder.input("x", "float32", ["batch", 8192]), builder.input("factor", "float32", [])];
      const sum = builder.op("ReduceSum", [x, builder.constant(tensor("int64", [1], [1]))], { keepdims: 0 });
      builder.output("y", builder.op("Mul", [sum, factor]));
      const executable = await backend.compile(builder.build());
      for (const [rows, value] of [
        [3, 1],
        [3, 2],
        [1, 3],
        [3, 4],
      ] as const) {
        const data = new Float32Array(rows * 8192).fill(value);
        const { y } = await executable.run({ x: tensor("float32", [rows, 8192], data), factor: scalar(value) });
        data.fill(NaN);
        expect(toNumbers(y as Tensor)).toEqual(Array.from({ length: rows }, () => 8192 * value * value));
      }
      await executable.dispose();
    });

    test("more batch sizes than plans are kept train on the same state", async () => {
      const model = sequential({ input: { name: "x", shape: [2] }, layers: [dense({ units: 2 })], output: "logits" });
      const graph = createTrainingGraph(model, { loss: softmaxCrossEntropy(), optimizer: adam() });
      const executable = await backend.compile(graph, { state: model.state });
      let last = Infinity;
      for (const [i, batch] of [1, 2, 3, 4, 5, 6, 1, 2].entries()) {
        const loss = Number((await executable.run(trainingFeeds(batch, i + 1)))["loss"]?.data[0]);
        expect(loss).toBeLessThan(last);
        last = loss;
      }
      await executable.dispose();
    });

    test("the caller keeps its feeds, and owns the outputs", async () => {
      const executable = await backend.compile(affine(), { state: { w: column(2, 3) } });
      const feed = row(1, 1);
      const first = (await executable.run({ x: feed }))["y"] as Tensor;
      await executable.run({ x: row(5, 5) });
      expect(toNumbers(feed)).toEqual([1, 1]);
      expect(toNumbers(first)).toEqual([5]);
      await executable.dispose();
    });

    test("a feed that is a view of a larger buffer is read where it lies", async () => {
      const executable = await backend.compile(affine(), { state: { w: column(2, 3) } });
      const buffer = Float32Array.of(9, 9, 1, 1, 9);
      expect(toNumbers((await executable.run({ x: tensor("float32", [1, 2], buffer.subarray(2, 4)) }))["y"] as Tensor)).toEqual([5]);
      await executable.dispose();
    });

    test("outputs that are feeds, state or constants, or that share a value, are copies", async () => {
      const b = new GraphBuilder("outputs");
      const x = b.input("x", "float32", ["batch", 2]);
      const w = b.state("w", "float32", [2]);
      const sum = b.op("Add", [x, w]);
      b.output("fed", x);
      b.output("state", w);
      b.output("constant", b.scalar(7, "float32"));
      b.output("sum", sum);
      b.output("same", sum);
      b.update("w", b.op("Neg", [w]));
      const executable = await backend.compile(b.build(), { state: { w: tensor("float32", [2], [1, 2]) } });
      const first = await executable.run({ x: row(10, 20) });
      const numbers = Object.fromEntries(Object.entries(first).map(([name, value]) => [name, toNumbers(value)]));
      expect(numbers).toEqual({ fed: [10, 20], state: [1, 2], constant: [7], sum: [11, 22], same: [11, 22] });
      expect(first["sum"]?.data).not.toBe(first["same"]?.data);
      expect(toNumbers((await executable.readState(["w"]))["w"] as Tensor)).toEqual([-1, -2]);
      await executable.dispose();
    });

    test("a failing kernel is reported with the node's name, and leaves the state as it was", async () => {
      const b = new GraphBuilder("lookup");
      const w = b.state("w", "float32", [3]);
      b.output("found", b.op("Gather", [w, b.input("index", "int64", [1])], {}, { name: "pick" }));
      b.update("w", b.op("Add", [w, b.scalar(1, "float32")]));
      const executable = await backend.compile(b.build());
      await expect(executable.run({ index: tensor("int64", [1], [5]) })).rejects.toMatchObject({
        code: "BACKEND_RUN_FAILED",
        message: expect.stringContaining('node "pick" (Gather) failed'),
      });
      expect(toNumbers((await executable.readState())["w"] as Tensor)).toEqual([0, 0, 0]);
      expect(toNumbers((await executable.run({ index: tensor("int64", [1], [2]) }))["found"] as Tensor)).toEqual([0]);
      await executable.dispose();
    });

    test("a kernel that onnxruntime lacks is reported at compile, with its operator", async () => {
      const b = new GraphBuilder("double");
      b.output("y", b.op("Erf", [b.input("x", "float64", ["batch", 4])]));
      await expect(backend.compile(b.build())).rejects.toMatchObject({
        code: "BACKEND_OPERATOR_MISSING",
        message: expect.stringContaining("no Erf of float64"),
        details: { operators: ["Erf"] },
      });
    });

    test("wrong feeds are refused before anything runs", async () => {
      const executable = await backend.compile(affine());
      await expect(executable.run({ x: tensor("float32", [1, 3], [1, 2, 3]) })).rejects.toMatchObject({ code: "TENSOR_INVALID" });
      await expect(executable.run({})).rejects.toMatchObject({ code: "TENSOR_INVALID" });
      await expect(executable.writeState({ w: row(1, 2) })).rejects.toMatchObject({ code: "TENSOR_INVALID" });
      await executable.dispose();
      await executable.dispose();
      await expect(executable.run({ x: row(1, 1) })).rejects.toMatchObject({ code: "ARGUMENT_INVALID" });
    });

    test("runs that are started together are done one after the other", async () => {
      const executable = await backend.compile(doublesState(), { state: { w: column(1, 1) } });
      await Promise.all(Array.from({ length: 5 }, () => executable.run({})));
      expect(toNumbers((await executable.readState())["w"] as Tensor)).toEqual([32, 32]);
      await executable.dispose();
    });

    test("compiling stops at its signal", async () => {
      await expect(backend.compile(affine(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
      const controller = new AbortController();
      const compiling = backend.compile(affine(), { signal: controller.signal });
      controller.abort();
      await expect(compiling).rejects.toMatchObject({ code: "CANCELLED" });
    });

    test("bools and bytes that onnxruntime has no kernels for are computed in a wider type", async () => {
      const b = new GraphBuilder("choose");
      const x = b.input("x", "bool", ["batch"]);
      b.output("y", b.op("Where", [x, x, b.op("Not", [x])]));
      const executable = await backend.compile(b.build());
      const { y } = await executable.run({ x: tensor("bool", [3], [true, false, true]) });
      expect(y).toEqual(tensor("bool", [3], [true, true, true]));
      await executable.dispose();
    });
  });
}

test("rows that are added up at few places by several threads are all counted", async () => {
  const backend = await openOnnxRuntime({ threads: 4, leastSharedBytes: 1 });
  for (const places of [7, 300]) {
    const rows = 20_000;
    const b = new GraphBuilder("histogram");
    const inputs = [b.input("data", "float32", [places, 32]), b.input("indices", "int32", ["batch"]), b.input("dy", "float32", ["batch", 32])];
    b.output("sums", b.op("GatherGrad", inputs));
    const executable = await backend.compile(b.build());
    const feeds = {
      data: tensor("float32", [places, 32], new Float32Array(places * 32)),
      indices: tensor(
        "int32",
        [rows],
        Int32Array.from({ length: rows }, (_, i) => (i * i) % places),
      ),
      dy: tensor("float32", [rows, 32], new Float32Array(rows * 32).fill(1)),
    };
    const expected = new Float32Array(places * 32);
    for (const place of feeds.indices.data as Int32Array)
      for (let k = 0; k < 32; k += 1) expected[place * 32 + k] = (expected[place * 32 + k] ?? 0) + 1;
    for (let run = 0; run < 3; run += 1) expect((await executable.run(feeds))["sums"]?.data).toEqual(expected);
    await executable.dispose();
  }
  await backend.dispose();
});

test("the gradient of a gather of nothing is zero", async () => {
  const backend = await openOnnxRuntime({ thread: "inline", threads: 1 });
  const b = new GraphBuilder("nothing");
  const inputs = [b.input("data", "float32", [3, 4]), b.input("indices", "int64", [0]), b.input("dy", "float32", [0, 4])] as const;
  const [data, ...others] = inputs;
  b.output("sums", b.op("GatherGrad", [data, ...others.map((value) => b.op("Neg", [value]))])); // computed ones are not in memory of ours
  const executable = await backend.compile(b.build());
  const feeds = { data: tensor("float32", [3, 4], new Float32Array(12)), indices: tensor("int64", [0], []), dy: tensor("float32", [0, 4], []) };
  expect((await executable.run(feeds))["sums"]?.data).toEqual(new Float32Array(12));
  await backend.dispose();
});

test("state of another backend is not shared", async () => {
  const [a, b] = [await openOnnxRuntime({ thread: "inline", threads: 1 }), await openOnnxRuntime({ thread: "inline", threads: 1 })];
  const executable = await a.compile(affine());
  await expect(b.compile(affine(), { shareStateWith: executable })).rejects.toMatchObject({ code: "ARGUMENT_INVALID" });
  await Promise.all([a.dispose(), b.dispose()]);
});

test("a backend refuses to compile after it was disposed, and a thread count that is none", async () => {
  const backend = await openOnnxRuntime({ threads: 1 });
  await backend.dispose();
  await backend.dispose();
  await expect(backend.compile(affine())).rejects.toMatchObject({ code: "ARGUMENT_INVALID" });
  await expect(openOnnxRuntime({ threads: 0 })).rejects.toMatchObject({ code: "ARGUMENT_INVALID" });
  await expect(openOnnxRuntime({ leastSharedBytes: Number.NaN })).rejects.toMatchObject({ code: "ARGUMENT_INVALID" });
});

function affine(): Graph {
  const b = new GraphBuilder("affine");
  b.output("y", b.op("MatMul", [b.input("x", "float32", ["batch", 2]), b.state("w", "float32", [2, 1])]));
  return b.build();
}

function doublesState(): Graph {
  const b = new GraphBuilder("doubles");
  const w = b.state("w", "float32", [2, 1]);
  b.update("w", b.op("Add", [w, w]));
  return b.build();
}

function row(...values: number[]): Tensor {
  return tensor("float32", [1, values.length], values);
}

function column(...values: number[]): Tensor {
  return tensor("float32", [values.length, 1], values);
}

function trainingFeeds(batch: number, step: number): Tensors {
  return {
    x: tensor("float32", [batch, 2], Array.from({ length: batch }, () => [1, -1]).flat()),
    labels: tensor(
      "int32",
      [batch],
      Array.from({ length: batch }, () => 1),
    ),
    learning_rate: scalar(0.05),
    step: tensor("int64", [], [step]),
  };
}

test("training by the C API loses what training by onnxruntime-node loses, to 1e-6, and ends in the same state, to 1e-5", async () => {
  const model = sequential({
    input: { name: "x", shape: [1, 8, 8] },
    layers: [conv2D({ filters: 4, kernelSize: 3, activation: "relu" }), maxPooling2D({ poolSize: 2 }), flatten(), dense({ units: 3 })],
    output: "logits",
  });
  const graph = createTrainingGraph(model, { loss: softmaxCrossEntropy(), optimizer: adam() });
  const x = tensor("float32", [6, 1, 8, 8], new Random(3).uniforms(6 * 64, { low: -1 }));
  const labels = tensor("int32", [6], [0, 1, 2, 0, 1, 2]);
  const results = [];
  for (const binding of ["auto", "onnxruntime-node"] as const) {
    const backend = await openOnnxRuntime({ thread: "inline", threads: 1, binding });
    const executable = await backend.compile(graph, { state: model.state });
    const losses: number[] = [];
    for (let step = 1; step <= 20; step += 1) {
      const outputs = await executable.run({ x, labels, learning_rate: scalar(0.01), step: tensor("int64", [], [step]) });
      losses.push(Number(outputs["loss"]?.data[0]));
    }
    results.push({ losses, state: await executable.readState() });
    await backend.dispose();
  }
  const [native, plain] = results;
  native?.losses.forEach((loss, i) => expect(Math.abs(loss - (plain?.losses[i] ?? Number.NaN))).toBeLessThan(1e-6));
  for (const [name, value] of Object.entries(native?.state ?? {})) {
    const expected = toNumbers(plain?.state[name] as Tensor);
    toNumbers(value).forEach((number, i) => expect(Math.abs(number - (expected[i] ?? Number.NaN))).toBeLessThan(1e-5));
  }
});
