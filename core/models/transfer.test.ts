import { afterAll, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { tensorBatches } from "../data/tensor-batches.ts";
import { Random } from "../random.ts";
import { tensor, toNumbers, type Tensors } from "../tensor.ts";
import { adam, fit, softmaxCrossEntropy } from "../training/index.ts";
import { isFrozen, unfreeze } from "./freeze.ts";
import { bodyOf, convNet, mergeLora, mlp, textTransformer, transfer, withLora, type Model } from "./index.ts";

const backend = openReference();
afterAll(() => backend.dispose());

async function outputsOf(model: Model, feeds: Tensors): Promise<Tensors> {
  const executable = await backend.compile(model.graph, { state: model.state });
  const outputs = await executable.run(feeds);
  await executable.dispose();
  return outputs;
}

const random = new Random(5);
const rows = 120;
const features = tensor("float32", [rows, 6], random.normals(rows * 6));
/** Which of three sectors the first two features lie in. */
const sectors = Int32Array.from({ length: rows }, (_, row) => {
  const angle = Math.atan2(Number(features.data[row * 6]), Number(features.data[row * 6 + 1])) + Math.PI;
  return Math.min(2, Math.floor((3 * angle) / (2 * Math.PI)));
});
const feeds = { features, labels: tensor("int32", [rows], sectors) };

function train(model: Model): ReturnType<typeof fit> {
  const batches = tensorBatches(feeds, { batchSize: 30 });
  return fit({
    model,
    backend,
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate: 0.01 }),
    train: batches,
    validation: batches,
    epochs: 15,
  });
}

test("a transferred model keeps its body's weights and names, gets a new head, and trains the head alone until the body is thawed", async () => {
  const pretrained = mlp({ width: 6, head: { task: "classification", classes: 10 }, hidden: [16, 8], seed: 1 });
  const model = transfer(pretrained, { head: { task: "classification", classes: 3 }, dropoutRate: 0.1, seed: 2 });
  expect(model.graph.state.map(({ name, shape }) => [name, shape, isFrozen(model, name)])).toEqual([
    ["dense/kernel", [6, 16], true],
    ["dense/bias", [16], true],
    ["dense_1/kernel", [16, 8], true],
    ["dense_1/bias", [8], true],
    ["transfer_head/kernel", [8, 3], false],
    ["transfer_head/bias", [3], false],
  ]);
  const warm = await train(model);
  expect(warm.model.state["dense/kernel"]).toEqual(pretrained.state["dense/kernel"]);
  expect(warm.model.state["transfer_head/kernel"]).not.toEqual(model.state["transfer_head/kernel"]);
  const tuned = await train(unfreeze(warm.model, ["*"]));
  expect(tuned.model.state["dense/kernel"]).not.toEqual(pretrained.state["dense/kernel"]);
  expect(tuned.history.at(-1)!.validation!["loss"]).toBeLessThan(warm.history.at(-1)!.validation!["loss"]!);
});

test("a body answers what its model had at the cut, and lacks the state behind it", async () => {
  const model = convNet({ shape: [1, 8, 8], head: { task: "classification", classes: 4 }, filters: [4], units: 5 });
  const body = bodyOf(model, "flatten/Flatten");
  expect(Object.keys(body.state)).toEqual(["conv2d/kernel", "conv2d/bias"]);
  const image = tensor("float32", [2, 1, 8, 8], new Random(3).normals(128));
  const outputs = await outputsOf(body, { image });
  expect(outputs["features"]?.shape).toEqual([2, 64]);
  const whole = await outputsOf({ ...model, graph: { ...model.graph, outputs: { features: "flatten/Flatten" } } }, { image });
  expect(toNumbers(outputs["features"]!)).toEqual(toNumbers(whole["features"]!));
  expect(() => bodyOf(model, "flaten/Flatten")).toThrow('has no value "flaten/Flatten"; did you mean "flatten/Flatten"?');
  expect(() => transfer(model, { head: { task: "regression" }, cut: "conv2d/Conv" })).toThrow(
    'but the cut "conv2d/Conv" is float32 [batch, 4, 8, 8]',
  );
});

test("low-rank additions start as nothing, are all that is trained, and merge into the weights without changing an answer", async () => {
  const base = mlp({ width: 6, head: { task: "classification", classes: 3 }, hidden: [16], seed: 4 });
  const model = withLora(base, { rank: 2, match: ["dense/*", "dense_1/*"] });
  expect(model.graph.state.filter(({ name }) => !isFrozen(model, name)).map(({ name, shape }) => [name, shape])).toEqual([
    ["dense/kernel/lora_a", [6, 2]],
    ["dense/kernel/lora_b", [2, 16]],
    ["dense_1/kernel/lora_a", [16, 2]],
    ["dense_1/kernel/lora_b", [2, 3]],
  ]);
  expect(toNumbers((await outputsOf(model, { features }))["logits"]!)).toEqual(toNumbers((await outputsOf(base, { features }))["logits"]!));

  const tuned = await train(model);
  expect(tuned.model.state["dense/kernel"]).toEqual(base.state["dense/kernel"]);
  expect(tuned.history.at(-1)!.loss).toBeLessThan(0.7 * tuned.history[0]!.loss);

  const merged = mergeLora(tuned.model);
  expect(merged.graph.state.map(({ name }) => name)).toEqual(base.graph.state.map(({ name }) => name));
  expect(merged.graph.nodes.length).toBe(base.graph.nodes.length);
  expect(Object.keys(merged.state)).toEqual(Object.keys(base.state));
  const [ours, theirs] = [
    toNumbers((await outputsOf(merged, { features }))["logits"]!),
    toNumbers((await outputsOf(tuned.model, { features }))["logits"]!),
  ];
  ours.forEach((value, i) => expect(value).toBeCloseTo(theirs[i]!, 5));
});

test("attention takes low-rank additions like any product: queries and values of a transformer, merged without changing an answer", async () => {
  const base = textTransformer({
    texts: [{ input: "tokens", vocabulary: 12, maxLength: 5 }],
    head: { task: "classification", classes: 3 },
    width: 8,
    layers: 1,
    heads: 2,
    dropoutRate: 0,
  });
  const model = withLora(base, { rank: 2, match: ["*attention/query/kernel", "*attention/value/kernel"] });
  const trained = model.graph.state.filter(({ name }) => !isFrozen(model, name)).map(({ name, shape }) => [name, shape]);
  expect(trained).toEqual([
    ["tokens_block1/attention/query/kernel/lora_a", [8, 2]],
    ["tokens_block1/attention/query/kernel/lora_b", [2, 8]],
    ["tokens_block1/attention/value/kernel/lora_a", [8, 2]],
    ["tokens_block1/attention/value/kernel/lora_b", [2, 8]],
  ]);
  const tokens = tensor(
    "int32",
    [rows, 5],
    Int32Array.from({ length: rows * 5 }, (_, i) => 1 + ((7 * i + (i % 11)) % 11)),
  );
  const labels = tensor(
    "int32",
    [rows],
    Int32Array.from({ length: rows }, (_, row) => Number(tokens.data[row * 5]) % 3),
  );
  const batches = tensorBatches({ tokens, labels }, { batchSize: 30 });
  const { model: tuned } = await fit({
    model,
    backend,
    loss: softmaxCrossEntropy(),
    optimizer: adam({ learningRate: 0.02 }),
    train: batches,
    epochs: 3,
  });
  const [ours, theirs] = [await outputsOf(mergeLora(tuned), { tokens }), await outputsOf(tuned, { tokens })].map((outputs) =>
    toNumbers(outputs["logits"]!),
  );
  ours!.forEach((value, i) => expect(value).toBeCloseTo(theirs![i]!, 5));
  const before = toNumbers((await outputsOf(base, { tokens }))["logits"]!);
  expect(theirs!.some((value, i) => Math.abs(value - before[i]!) > 1e-3)).toBe(true);
});

test("wrong ranks, names and models are refused", () => {
  const base = mlp({ width: 6, head: { task: "regression" }, hidden: [4] });
  expect(() => withLora(base, { rank: 0 })).toThrow("rank must be a whole number from 1, not 0");
  expect(() => withLora(base, { match: ["attention/*"] })).toThrow(
    'no weight of "mlp" matches attention/*; those of products of matrices are dense/kernel, dense_1/kernel',
  );
  expect(() => mergeLora(base)).toThrow('"mlp" was not made by withLora');
  expect(() => transfer(base, { head: { task: "regression" }, dropoutRate: 1 })).toThrow("dropoutRate must be from 0 to below 1, not 1");
});
