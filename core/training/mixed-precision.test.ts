import { describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph } from "../graph/graph.ts";
import { simplify } from "../graph/simplify.ts";
import { batchNormalization, dense, layerNormalization, multiHeadAttention, Network, sequential } from "../layers/index.ts";
import { convNet } from "../models/conv-net.ts";
import { mlp } from "../models/mlp.ts";
import type { Model } from "../models/model.ts";
import { estimateMemory } from "../profiling/index.ts";
import { tensor } from "../tensor.ts";
import type { Checkpoint, CheckpointStore } from "./checkpoint.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint-file.ts";
import { fit } from "./fit.ts";
import { meanSquaredError, softmaxCrossEntropy } from "./losses/index.ts";
import { mixedPrecision } from "./mixed-precision.ts";
import { adam } from "./optimizers/index.ts";
import { everything } from "./testing/everything.ts";
import { createTrainingGraph } from "./training-graph.ts";

const backend = openReference();

/** The element types of an operator's results, one for each node. */
function typesOf(graph: Graph, operator: string): readonly string[] {
  return graph.nodes.filter((node) => node.operator === operator).map(({ outputs }) => graph.values[outputs[0] ?? ""]?.dtype ?? "nothing");
}

function step(model: Model, loss = softmaxCrossEntropy()): Graph {
  return simplify(createTrainingGraph(model, { loss, optimizer: adam(), precision: "mixed_float16" }));
}

describe("mixed precision", () => {
  test("has products and what passes them on in float16, in the gradients too; state, losses, outputs and updates are float32", () => {
    const graph = step(mlp({ width: 4, head: { task: "classification", classes: 3 }, hidden: [8, 8] }));
    expect(new Set(typesOf(graph, "Gemm"))).toEqual(new Set(["float16"]));
    expect(typesOf(graph, "Gemm").length).toBe(3 + 5); // forward; by weights and by all inputs but the first
    expect(typesOf(graph, "Relu")).toEqual(["float16", "float16"]);
    expect(typesOf(graph, "SoftmaxCrossEntropyLoss")).toEqual(["float32"]);
    expect(typesOf(graph, "Adam")).toEqual(["float32"]);
    expect(graph.state.every(({ name, dtype }) => dtype === (/good_steps|skipped/.test(name) ? "int64" : "float32"))).toBe(true);
    expect(Object.values(graph.outputs).map((name) => graph.values[name]?.dtype)).toEqual(["float32", "float32"]);
  });

  test("casts a value once, whoever uses it", () => {
    const graph = step(mlp({ width: 4, head: { task: "classification", classes: 3 }, hidden: [8, 8] }));
    const casts = graph.nodes
      .filter(({ operator }) => operator === "Cast")
      .map(({ inputs, attributes }) => `${inputs[0]} to ${Number(attributes["to"])}`);
    expect(new Set(casts).size).toBe(casts.length);
    expect(casts.filter((cast) => cast.startsWith("dense_1/kernel"))).toEqual(["dense_1/kernel to 10"]);
  });

  test("keeps normalisations and their statistics in float32", () => {
    const model = sequential({
      name: "normalized",
      input: { name: "features", shape: [6] },
      layers: [dense({ units: 8 }), batchNormalization(), dense({ units: 8 }), layerNormalization(), dense({ units: 2 })],
      output: "logits",
    });
    const graph = step(model);
    expect(typesOf(graph, "LayerNormalization")).toEqual(["float32"]);
    expect([...typesOf(graph, "BatchMoments"), ...typesOf(graph, "BatchNormalizationGrad")]).toEqual(["float32", "float32"]);
    expect(Object.keys(graph.updates).filter((name) => name.includes("moving"))).toHaveLength(2);
  });

  test("has attention's products in float16 and its masked softmax in float32", () => {
    const network = new Network("attending");
    const x = network.input("x", [5, 8]);
    network.output("prediction", network.apply(multiHeadAttention({ numHeads: 2, keyDim: 4, useCausalMask: true }), x));
    const model = network.build();
    const graph = step(model, meanSquaredError());
    expect(new Set(typesOf(graph, "MatMul"))).toEqual(new Set(["float16"]));
    expect(new Set(typesOf(graph, "Softmax"))).toEqual(new Set(["float32"]));
  });

  test("leaves in float32 what float16 cannot hold: a constant of 1e9 or 1e-7, and what adds to a float32 value", () => {
    const builder = new GraphBuilder("constants");
    const [x, w] = [builder.input("x", "float32", ["batch", 3]), builder.state("w", "float32", [3, 3])];
    const product = builder.op("MatMul", [x, w], {}, { name: "product" });
    builder.op("Add", [product, builder.scalar(0.5, "float32")], {}, { name: "small" });
    builder.op("Add", [product, builder.scalar(-1e9, "float32")], {}, { name: "large" });
    builder.op("Add", [product, builder.scalar(1e-7, "float32")], {}, { name: "tiny" });
    builder.op("Add", [product, x], {}, { name: "residual" });
    builder.op("MatMul", [x, builder.constant(tensor("float32", [3, 1], [1, 2, 1e5]))], {}, { name: "fixed" });
    builder.op("Exp", [product], {}, { name: "exp" });
    builder.output("y", builder.op("Relu", [product], {}, { name: "visible" }));
    const { values, outputs } = mixedPrecision(builder.build());
    const types = ["product", "small", "large", "tiny", "residual", "fixed", "exp", "visible"].map((name) => values[name]?.dtype);
    expect(types).toEqual(["float16", "float16", "float32", "float32", "float32", "float32", "float32", "float16"]);
    expect(values[outputs["y"] ?? ""]?.dtype).toBe("float32");
  });

  test("counts two bytes an element: the activations of a convolutional network take about half of the memory", () => {
    const model = convNet({ shape: [3, 32, 32], head: { task: "classification", classes: 10 } });
    const options = { loss: softmaxCrossEntropy(), optimizer: adam(), modelOutputs: false };
    const [full, mixed] = (["float32", "mixed_float16"] as const).map((precision) =>
      estimateMemory(createTrainingGraph(model, { ...options, precision }), { batch: 256 }),
    );
    expect(mixed!.activations / full!.activations).toBeLessThan(0.62);
    expect(mixed!.parameters).toBe(full!.parameters);
  });

  test("of another name is refused, with those that there are", async () => {
    const run = fit({ ...everything(backend), precision: "mixed_bfloat16" as "mixed_float16" }); // a caller without types
    await expect(run).rejects.toMatchObject({
      code: "ARGUMENT_INVALID",
      message: expect.stringContaining('did you mean "mixed_float16"') as unknown,
    });
  });

  test("a run with dropout, statistics, averages, accumulation and a schedule goes on bit for bit from any step, overflows included", async () => {
    const kept: Uint8Array[] = [];
    const store: CheckpointStore = { save: async (checkpoint) => String(kept.push(encodeCheckpoint(checkpoint))), load: async () => undefined };
    const options = { ...everything(backend), precision: "mixed_float16", lossScaling: { initialScale: 2 ** 22, growthInterval: 2 } } as const;
    const straight = await fit({ ...options, checkpoints: store, checkpointEvery: 1 });
    const checkpoints = kept.map((bytes): Checkpoint => decodeCheckpoint(bytes));
    const skipped = checkpoints.map(({ state }) => Number(state["loss_scale/skipped"]?.data[0] ?? 0));
    expect(skipped.at(-1)).toBeGreaterThan(0); // 2^22 is too large for this network at first
    expect(
      checkpoints.some(({ state }) =>
        Object.entries(state).some(([name, { data }]) => name.startsWith("accumulated/") && Array.from(data as Float32Array).includes(Infinity)),
      ),
    ).toBe(true); // kept halfway through an update that will be passed over
    for (const resume of checkpoints) {
      const resumed = await fit({ ...options, resume });
      expect(resumed.model.state).toEqual(straight.model.state);
      expect(resumed.history).toEqual(straight.history);
    }
  });
});

test("a checkpoint of another precision is refused", async () => {
  let kept: Checkpoint | undefined;
  const store: CheckpointStore = { save: async (checkpoint) => String((kept = checkpoint).step), load: async () => undefined };
  await fit({ ...everything(backend), epochs: 1, checkpoints: store });
  const resumed = fit({ ...everything(backend), precision: "mixed_float16", resume: kept ?? expect.fail("nothing was saved") });
  await expect(resumed).rejects.toMatchObject({
    code: "CHECKPOINT_INVALID",
    message: expect.stringContaining("optimizer, precision or the release") as unknown,
  });
});
