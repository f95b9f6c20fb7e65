import { describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import type { Backend, Executable } from "../backend.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph } from "../graph/graph.ts";
import { convNet } from "../models/conv-net.ts";
import { linear } from "../models/linear.ts";
import { scalar, tensor, type Tensors } from "../tensor.ts";
import { adam, createTrainingGraph, createUpdateGraph, meanSquaredError, softmaxCrossEntropy } from "../training/index.ts";
import { chooseBatchSize, largestBatchSize } from "./batch-size.ts";
import { countFlops } from "./flops.ts";
import { estimateMemory } from "./memory.ts";
import { phasesOf } from "./phase.ts";
import { profile } from "./profile.ts";
import { bytesText, chromeTrace, formatProfile } from "./report.ts";

const head = { task: "classification", classes: 10 } as const;
const model = convNet({ shape: [1, 8, 8], head });
const graph = createTrainingGraph(model, { loss: softmaxCrossEntropy(), optimizer: adam() });

function feedsOf(rows: number): Tensors {
  const input = graph.inputs.find(({ shape }) => shape.length === 4)?.name ?? "";
  return {
    [input]: tensor("float32", [rows, 1, 8, 8], new Float32Array(rows * 64).fill(0.5)),
    labels: tensor("int32", [rows], new Int32Array(rows)),
    learning_rate: scalar(0.001),
    step: scalar(1, "int64"),
  };
}

/** Time that goes on by one with every look. */
function ticking(): () => number {
  let now = 0;
  return () => (now += 1);
}

describe("a profile", () => {
  test("has every node of a training step in its phase, with bytes and work", async () => {
    const found = await profile({ backend: openReference(), graph, state: model.state, feeds: feedsOf(4), clock: ticking(), runs: 2 });
    expect(found).toMatchObject({ backend: "reference", batch: 4, otherMs: 0 });
    const rows = found.rows ?? expect.fail("the reference times its kernels");
    expect(new Set(rows.map(({ node }) => node)).size).toBe(rows.length);
    expect(rows.find(({ operator }) => operator === "Adam")?.phase).toBe("update");
    expect(rows.find(({ node }) => node === "conv2d/Conv")?.phase).toBe("forward");
    expect(rows.find(({ operator }) => operator === "ConvWeightGrad")?.phase).toBe("backward");
    const total = rows.reduce((sum, { timeMs }) => sum + timeMs, 0);
    const phases = found.phases ?? expect.fail("and so its phases");
    expect(phases.forward.timeMs + phases.backward.timeMs + phases.update.timeMs).toBeCloseTo(total, 6);
    const conv = rows.find(({ node }) => node === "conv2d/Conv")!;
    const types = graph.nodes.find(({ name }) => name === "conv2d/Conv")!;
    const sizes = [...types.inputs, ...types.outputs].map((name) =>
      graph.values[name]!.shape.reduce<number>((n, size) => n * (size === "batch" ? 4 : size), 1),
    );
    expect(conv.bytes).toBe(4 * sizes.reduce((sum, size) => sum + size, 0));

    const text = formatProfile(found, { rows: 3 });
    expect(text).toMatch(/^conv-net\/training, batch 4, on reference/);
    expect(text.split("\n").filter((line) => /\d ms .*%/.test(line))).toHaveLength(3 + 3); // phases and nodes
    expect(text).toContain(`and ${rows.length - 3} more`);

    const trace = JSON.parse(chromeTrace(found)) as { traceEvents: { ph: string; name: string; ts: number; dur: number }[] }; // what was written
    const complete = trace.traceEvents.filter(({ ph }) => ph === "X");
    expect(complete).toHaveLength(found.timeline.length);
    complete.slice(1).forEach((event, i) => expect(event.ts).toBeGreaterThanOrEqual(complete[i]!.ts + complete[i]!.dur - 1e-6)); // one after the other
  });

  test("of a backend that cannot time its kernels has the run's time alone", async () => {
    const reference = openReference();
    const blind: Backend = {
      ...reference,
      async compile(compiled, options) {
        const inner = await reference.compile(compiled, options);
        const bare: Executable = {
          graph: compiled,
          run: (feeds) => inner.run(feeds),
          readState: (names) => inner.readState(names),
          writeState: (state) => inner.writeState(state),
          dispose: () => inner.dispose(),
        };
        return bare;
      },
    };
    const found = await profile({ backend: blind, graph, state: model.state, feeds: feedsOf(2), clock: ticking(), runs: 2 });
    expect(found).toMatchObject({ rows: undefined, phases: undefined, runMs: 0.5 });
    expect(formatProfile(found)).toContain("does not tell how long its kernels take");
  });

  test("is refused for less than one run", async () => {
    await expect(profile({ backend: openReference(), graph, feeds: feedsOf(1), clock: ticking(), runs: 0 })).rejects.toMatchObject({
      code: "ARGUMENT_INVALID",
    });
  });
});

test("phases follow a node into its lowering, and a graph without gradients has one", () => {
  const phaseOf = phasesOf(graph);
  expect(phaseOf("conv2d/Conv/MatMul_3")).toBe("forward");
  expect(phaseOf("gradient/conv2d/Conv/anything")).toBe("backward");
  expect(phaseOf("Adam/Mul")).toBe("update");
  expect(phasesOf(model.graph)("conv2d/Conv")).toBe("forward");
  expect(phasesOf(createUpdateGraph(model, { optimizer: adam() }))("Adam")).toBe("update");
});

/** One node over float32 inputs of these shapes. */
function single(operator: string, shapes: readonly (readonly number[])[], attributes: Graph["nodes"][number]["attributes"] = {}): Graph {
  const b = new GraphBuilder(operator);
  b.output(
    "y",
    b.op(
      operator,
      shapes.map((shape, i) => b.input(`x${i}`, "float32", shape)),
      attributes,
    ),
  );
  return b.build();
}

describe("operations are counted", () => {
  test.each<[string, Graph, number]>([
    [
      "a product of matrices",
      single("MatMul", [
        [5, 3],
        [3, 7],
      ]),
      2 * 5 * 3 * 7,
    ],
    [
      "a batched product",
      single("MatMul", [
        [2, 4, 5, 3],
        [3, 7],
      ]),
      2 * 8 * 5 * 3 * 7,
    ],
    [
      "a transposed product",
      single(
        "Gemm",
        [
          [3, 5],
          [3, 7],
        ],
        { transA: 1 },
      ),
      2 * 5 * 3 * 7,
    ],
    // 224 x 224 x 3 by 64 kernels of 7 x 7 with stride 2: the stem of ResNet, 118 million multiply-adds.
    [
      "a convolution",
      single(
        "Conv",
        [
          [1, 3, 224, 224],
          [64, 3, 7, 7],
        ],
        { strides: [2, 2], pads: [3, 3, 3, 3] },
      ),
      2 * 118_013_952,
    ],
    [
      "a depthwise convolution",
      single(
        "Conv",
        [
          [1, 32, 16, 16],
          [32, 1, 3, 3],
        ],
        { group: 32, pads: [1, 1, 1, 1] },
      ),
      2 * 32 * 256 * 9,
    ],
    ["elementwise arithmetic", single("Add", [[4, 5], [5]]), 20],
    ["movement", single("Transpose", [[4, 5]]), 0],
    ["pooling", single("MaxPool", [[1, 2, 8, 8]], { kernel_shape: [2, 2], strides: [2, 2] }), 2 * 16 * 4],
  ])("of %s", (_name, one, expected) => {
    expect(countFlops(one).total).toBe(expected);
  });

  test("for a whole network by operator, in proportion to the batch", () => {
    const [one, eight] = [countFlops(model.graph), countFlops(model.graph, { batch: 8 })];
    expect(eight.total).toBe(8 * one.total);
    expect(Object.keys(one.operators)[0]).toBe("Conv");
    expect(Object.values(one.nodes).reduce((sum, count) => sum + count, 0)).toBe(one.total);
  });
});

describe("memory", () => {
  test("of a linear model's step is known by hand", () => {
    const small = linear({ width: 3, head: { task: "regression" } });
    const step = createTrainingGraph(small, { loss: meanSquaredError(), optimizer: adam() });
    const found = estimateMemory(step, { batch: 10 });
    expect(found).toMatchObject({ parameters: 4 * 4, slots: 2 * 4 * 4, statistics: 0, feeds: 4 * (30 + 10 + 1) + 8 });
    // At least prediction and difference are alive together, at most everything that the nodes make.
    expect(found.activations).toBeGreaterThanOrEqual(2 * 40);
    expect(found.total).toBe(found.parameters + found.slots + found.feeds + found.constants + found.activations);
  });

  test("between nodes is let go after the last use: a long chain needs two values at a time, a training step all of them", () => {
    const b = new GraphBuilder("chain");
    let value = b.input("x", "float32", ["batch", 100]);
    for (let i = 0; i < 20; i += 1) value = b.op("Tanh", [value]);
    b.output("prediction", b.op("Mul", [value, b.state("w", "float32", [100])]));
    const chain = b.build();
    expect(estimateMemory(chain, { batch: 5 }).activations).toBe(2 * 5 * 100 * 4);
    const loss = { ...meanSquaredError(), output: "prediction" };
    const step = createTrainingGraph({ graph: chain }, { loss, optimizer: adam() });
    const trained = estimateMemory(step, { batch: 5 }).activations;
    expect(trained).toBeGreaterThanOrEqual(2 * 5 * 100 * 4);
    expect(estimateMemory(step, { batch: 50 }).activations).toBeGreaterThan(9 * trained);
  });

  test("of a reshaped value is its own memory", () => {
    const b = new GraphBuilder("views");
    const x = b.op("Tanh", [b.input("x", "float32", ["batch", 12])]);
    b.output("y", b.op("Reshape", [x, b.ints([-1, 3, 4])]));
    expect(estimateMemory(b.build(), { batch: 2 }).activations).toBe(2 * 12 * 4);
  });
});

describe("a batch size", () => {
  /** A machine on which a step takes a fixed time and then some for each row. */
  function machine(fixedMs: number, rowMs: number): { readonly backend: Backend; readonly clock: () => number } {
    let now = 0;
    const reference = openReference();
    const backend: Backend = {
      ...reference,
      compile: async (compiled) => ({
        graph: compiled,
        run: async (feeds) => {
          now += fixedMs + rowMs * (feeds["labels"]?.shape[0] ?? 0);
          return {};
        },
        readState: async () => ({}),
        writeState: async () => undefined,
        dispose: async () => undefined,
      }),
    };
    return { backend, clock: () => now };
  }

  test("grows while rows go by faster by a tenth", async () => {
    // With 16 ms a step and 1 ms a row, n rows take 16 + n ms: from n to 2n the gain is (2 (16 + n)) / (16 + 2n), 1.1 at n = 72.
    const chosen = await chooseBatchSize({ ...machine(16, 1), graph, feeds: feedsOf, memoryBytes: 1e12 });
    expect(chosen).toMatchObject({ batchSize: 128, limit: "speed" });
    expect(chosen.tried.map(({ batchSize }) => batchSize)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256]);
  });

  test("stays within its memory, and within the most that is asked for", async () => {
    const memoryBytes = 2.5 * estimateMemory(graph, { batch: 16 }).total;
    expect(await chooseBatchSize({ ...machine(1e6, 0), graph, feeds: feedsOf, memoryBytes })).toMatchObject({ batchSize: 16, limit: "memory" });
    expect(await chooseBatchSize({ ...machine(1e6, 0), graph, feeds: feedsOf, memoryBytes: 1e12, most: 20 })).toMatchObject({
      batchSize: 16,
      limit: "most",
    });
    await expect(chooseBatchSize({ ...machine(1, 1), graph, feeds: feedsOf, memoryBytes: 1000 })).rejects.toThrow(
      /a step of one row needs about \d+ bytes; there are 1000/,
    );
  });
});

test("the largest batch by memory alone is the same whatever the speed, and counts what is reserved", () => {
  const bytes = (batch: number): number => 2.5 * estimateMemory(graph, { batch }).total;
  const found = largestBatchSize({ graph, memoryBytes: bytes(64) });
  expect(found).toEqual({ batchSize: 64, memoryBytes: bytes(64), limit: "memory" });
  expect(largestBatchSize({ graph, memoryBytes: bytes(64), reservedBytes: 1 })).toMatchObject({ batchSize: 32, limit: "memory" });
  expect(largestBatchSize({ graph, memoryBytes: 1e12, most: 300 })).toMatchObject({ batchSize: 256, limit: "most" });
  expect(() => largestBatchSize({ graph, memoryBytes: bytes(1) - 1 })).toThrow(/a step of one row needs about \d+ bytes; .*; allow more/);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [1_250_000, "1.3 MB"],
  [2e13, "20.0 TB"],
])("%i bytes read %s", (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});
