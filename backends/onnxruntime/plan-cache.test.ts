import { expect, test } from "vitest";
import {
  adam,
  batchNormalization,
  conv2D,
  createTrainingGraph,
  dense,
  flatten,
  GraphBuilder,
  Random,
  scalar,
  sequential,
  softmaxCrossEntropy,
  tensor,
  type Graph,
  type Model,
  type Tensors,
} from "../../core/index.ts";
import type { Engine } from "./engine.ts";
import { HostEngine } from "./host-engine.ts";
import { openHost } from "./open-host.ts";
import { graphKey, PlanCache } from "./plan-cache.ts";
import { planGraph } from "./plan.ts";

test("a graph has the key of one that was written in the same way, and another for every other constant, attribute and name", () => {
  const key = graphKey(scaled({ by: 2, axis: 0, name: "y" }));
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(graphKey(scaled({ by: 2, axis: 0, name: "y" }))).toBe(key);
  const others = [scaled({ by: 3, axis: 0, name: "y" }), scaled({ by: 2, axis: 1, name: "y" }), scaled({ by: 2, axis: 0, name: "z" })];
  expect(new Set([key, ...others.map(graphKey)]).size).toBe(4);
});

test("a graph that brings a megabyte of constants is not kept", () => {
  const b = new GraphBuilder("large");
  b.output(
    "y",
    b.op("Add", [b.input("x", "float32", ["batch", 2 ** 18 + 1]), b.constant(tensor("float32", [2 ** 18 + 1], new Float32Array(2 ** 18 + 1)))]),
  );
  const graph = b.build();
  expect(graphKey(graph)).toBeUndefined();
  const plans = new PlanCache();
  const plan = (): ReturnType<typeof planGraph> => planGraph(graph);
  expect(plans.get(undefined, plan)).not.toBe(plans.get(undefined, plan));
});

test("the plans that were used last are kept", () => {
  const plans = new PlanCache();
  const make = (key: number): unknown => plans.get(`${key} `, () => planGraph(scaled({ by: key, axis: 0, name: "y" })));
  const first = make(0);
  for (let key = 1; key < 16; key += 1) make(key);
  expect(make(0)).toBe(first);
  make(16); // in the place of 1
  expect(make(0)).toBe(first);
  expect([plans.hasGraph("1 "), plans.hasGraph("2 ")]).toEqual([false, true]);
});

test("a step compiled again is neither planned nor optimized again, and loses what the first did, bit for bit", async () => {
  const host = await openHost({ binding: "auto", threads: 1 });
  const engine = new HostEngine(host);
  const model = convolutional();
  const graph = stepOf(model);
  const key = `${graphKey(graph)} 5 true`;
  expect(host.plans.hasGraph(key)).toBe(false);
  const first = await losses(engine, { id: 1, graph, model });
  const kept = host.plans.get(key, () => expect.unreachable("the first training kept its plan"));
  if (host.native !== undefined && process.platform !== "win32") expect(kept.model?.isOptimized).toBe(true);
  const again = await losses(engine, { id: 2, graph: stepOf(model), model });
  expect(again).toEqual(first);
  expect(new Set(first).size).toBe(6);
  await engine.close();
});

test("executables of one plan have weights of their own, while the other lives and after it", async () => {
  const engine = new HostEngine(await openHost({ binding: "auto", threads: 1 }));
  const models = [convolutional(1), convolutional(2)];
  const [a, b] = [
    await losses(engine, { id: 1, graph: stepOf(convolutional(1)), model: models[0] as Model }),
    await losses(engine, { id: 2, graph: stepOf(convolutional(1)), model: models[1] as Model }),
  ];
  const mixed: number[][] = [[], []];
  for (const [i, model] of models.entries()) await engine.compile({ id: 10 + i, graph: stepOf(model), state: model.state });
  for (let step = 1; step <= 6; step += 1) {
    for (const i of [0, 1]) mixed[i]?.push(await loss(engine, 10 + i, step));
  }
  expect(mixed).toEqual([a, b]);
  await engine.close();
});

test("a graph that is compiled again for other batch sizes is planned for each", async () => {
  const host = await openHost({ binding: "auto", threads: 1 });
  const engine = new HostEngine(host);
  const model = convolutional();
  const graph = stepOf(model);
  await engine.compile({ id: 1, graph, state: model.state });
  await engine.run(1, feeds(5, 1), 5);
  await engine.run(1, feeds(3, 2), 3);
  expect([5, 3, 4].map((batch) => host.plans.hasGraph(`${graphKey(graph)} ${batch} `))).toEqual([true, true, false]);
  await engine.close();
});

function scaled({ by, axis, name }: { readonly by: number; readonly axis: number; readonly name: string }): Graph {
  const b = new GraphBuilder("scaled");
  b.output(name, b.op("Softmax", [b.op("Mul", [b.input("x", "float32", [3, 4]), b.scalar(by, "float32")])], { axis }));
  return b.build();
}

function convolutional(seed = 1): Model {
  return sequential({
    input: { name: "x", shape: [4, 12, 12] },
    layers: [
      conv2D({ filters: 8, kernelSize: 3, activation: "relu" }),
      batchNormalization(),
      conv2D({ filters: 16, kernelSize: 3, strides: 2 }),
      flatten(),
      dense({ units: 3 }),
    ],
    output: "logits",
    seed,
  });
}

function stepOf(model: Model): Graph {
  return createTrainingGraph(model, { loss: softmaxCrossEntropy(), optimizer: adam() });
}

async function losses(
  engine: Engine,
  { id, graph, model }: { readonly id: number; readonly graph: Graph; readonly model: Model },
): Promise<readonly number[]> {
  await engine.compile({ id, graph, state: model.state });
  const found: number[] = [];
  for (let step = 1; step <= 6; step += 1) found.push(await loss(engine, id, step));
  await engine.release(id);
  return found;
}

async function loss(engine: Engine, id: number, step: number): Promise<number> {
  return Number((await engine.run(id, feeds(5, step), 5))["loss"]?.data[0]);
}

function feeds(batch: number, step: number): Tensors {
  return {
    x: tensor("float32", [batch, 4, 12, 12], new Random(3).uniforms(batch * 4 * 144, { low: -1 })),
    labels: tensor(
      "int32",
      [batch],
      Array.from({ length: batch }, (_, i) => i % 3),
    ),
    learning_rate: scalar(0.01),
    step: scalar(step, "int64"),
  };
}
