import { expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { trainingForm } from "../graph/training-form.ts";
import { tensor, toNumbers, type Tensor } from "../tensor.ts";
import { inferred } from "./testing/infer.ts";

const channels = [[3], [3], [3], [3]] as const;

test("BatchNormalization keeps X's shape, and gives the running mean and variance in training alone", () => {
  const inputs = [["batch", 3, 4], ...channels] as const;
  expect(inferred("BatchNormalization", { inputs })).toEqual(["float32 batch,3,4"]);
  expect(inferred("BatchNormalization", { inputs, attributes: { training_mode: 1 }, outputs: 3 })).toEqual([
    "float32 batch,3,4",
    "float32 3",
    "float32 3",
  ]);
  expect(() => inferred("BatchNormalization", { inputs, outputs: 3 })).toThrow(/^node \(BatchNormalization .*outputs with training_mode 1 only/);
});

test("BatchNormalization refuses statistics of another size, another type and an X without channels", () => {
  const inputs = [["batch", 3, 4], [3], [3], [3]] as const;
  expect(() => inferred("BatchNormalization", { inputs: [...inputs, [4]] })).toThrow(
    /input_var must have one number for each of the 3 channels, \[3\], not \[4\]/,
  );
  expect(() => inferred("BatchNormalization", { inputs: [...inputs, { dtype: "float64", shape: [3] }] })).toThrow(/input 4 is float64/);
  expect(() => inferred("BatchNormalization", { inputs: [["batch"], ...channels] })).toThrow(/needs \[batch, channels, \.\.\.\], not rank 1/);
});

test("in its training form BatchNormalization normalizes by the batch and moves the running statistics", async () => {
  const builder = new GraphBuilder("norm");
  const x = builder.input("x", "float32", ["batch", 1]);
  const one = builder.constant(tensor("float32", [1], [1]));
  const mean = builder.state("mean", "float32", [1], { role: "statistic" });
  const variance = builder.state("variance", "float32", [1], { role: "statistic" });
  builder.output("y", builder.op("BatchNormalization", [x, one, one, mean, variance], { epsilon: 0, momentum: 0.75 }));
  const graph = builder.build();
  const state = { mean: tensor("float32", [1], [8]), variance: tensor("float32", [1], [4]) };
  const feeds = { x: tensor("float32", [2, 1], [1, 5]) };
  const backend = openReference();

  const predicting = await (await backend.compile(graph, { state })).run(feeds);
  expect(toNumbers(predicting["y"] as Tensor)).toEqual([-2.5, -0.5]); // (x - 8) / 2 + 1
  const training = await backend.compile(trainingForm(graph), { state });
  expect(toNumbers((await training.run(feeds))["y"] as Tensor)).toEqual([0, 2]); // the batch's mean is 3, its variance 4
  const after = await training.readState();
  expect([after["mean"], after["variance"]].map((value) => toNumbers(value as Tensor))).toEqual([[6.75], [4]]); // .75 * 8 + .25 * 3
  expect(trainingForm(graph, { isFrozen: (name) => name === "mean" }).updates).toEqual({});
});

test("LayerNormalization gives Mean and InvStdDev with size 1 along what is normalized, and refuses a Scale that would enlarge it", () => {
  const x = ["batch", 3, 4] as const;
  expect(inferred("LayerNormalization", { inputs: [x, [4], [4]], outputs: 3 })).toEqual([
    "float32 batch,3,4",
    "float32 batch,3,1",
    "float32 batch,3,1",
  ]);
  expect(inferred("LayerNormalization", { inputs: [x, [3, 1]], attributes: { axis: 1 }, outputs: 2 })[1]).toBe("float32 batch,1,1");
  expect(() => inferred("LayerNormalization", { inputs: [x, [5]] })).toThrow(/\[4\] and \[5\] do not broadcast/);
  expect(() => inferred("LayerNormalization", { inputs: [x, [3, 4]] })).toThrow(/Scale \[3, 4\] is larger than the normalized axes \[4\]/);
  expect(() => inferred("LayerNormalization", { inputs: [x, [4]], attributes: { axis: 3 } })).toThrow(/axis 3 is outside rank 3/);
  expect(() => inferred("LayerNormalization", { inputs: [x, [4]], attributes: { stash_type: 10 } })).toThrow(/stash_type 10 is not 1/);
});

test("LayerNormalization names its statistics in training, so that the gradient reads them", () => {
  const builder = new GraphBuilder("norm");
  const x = builder.input("x", "float32", ["batch", 4]);
  builder.output("y", builder.op("LayerNormalization", [x, builder.state("scale", "float32", [4])]));
  expect(trainingForm(builder.build()).nodes.map(({ operator, outputs }) => [operator, outputs.length])).toEqual([["LayerNormalization", 3]]);
});

test("the other normalizations keep X's shape, and refuse groups that do not divide, missing axes and empty windows", () => {
  const x = ["batch", 6, 5] as const;
  expect(inferred("RMSNormalization", { inputs: [x, [5]] })).toEqual(["float32 batch,6,5"]);
  expect(inferred("GroupNormalization", { inputs: [x, [6], [6]], attributes: { num_groups: 3 } })).toEqual(["float32 batch,6,5"]);
  expect(inferred("InstanceNormalization", { inputs: [x, [6], [6]] })).toEqual(["float32 batch,6,5"]);
  expect(inferred("MeanVarianceNormalization", { inputs: [["batch", 2, 3, 4]] })).toEqual(["float32 batch,2,3,4"]);
  expect(inferred("LRN", { inputs: [x], attributes: { size: 3 } })).toEqual(["float32 batch,6,5"]);
  expect(() => inferred("GroupNormalization", { inputs: [x, [6], [6]], attributes: { num_groups: 4 } })).toThrow(
    /6 channels do not divide into num_groups 4/,
  );
  expect(() => inferred("InstanceNormalization", { inputs: [["batch", 6], [6], [6]] })).toThrow(/not rank 2/);
  expect(() => inferred("MeanVarianceNormalization", { inputs: [["batch", 2]] })).toThrow(/axis 2 is outside rank 2/);
  expect(() => inferred("LRN", { inputs: [x], attributes: { size: 0 } })).toThrow(/size must be at least 1, not 0/);
});
