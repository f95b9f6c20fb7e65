import { expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { differentiate } from "../graph/differentiate.ts";
import type { Graph } from "../graph/graph.ts";
import { simplify } from "../graph/simplify.ts";
import { trainingForm } from "../graph/training-form.ts";
import { randomFeeds } from "../training/random-feeds.ts";
import { tensor, toNumbers, type Tensor } from "../tensor.ts";
import { inferred } from "./testing/infer.ts";

const rows = 500;
const backend = openReference();

/** y = the operator of x [batch, 4, 3]. */
function graphWith(operator: string, attributes: Record<string, number>): Graph {
  const builder = new GraphBuilder("noise");
  builder.output("y", builder.op(operator, [builder.input("x", "float32", ["batch", 4, 3])], attributes));
  return builder.build();
}

/** What a training step makes of an x that is `value` everywhere, [500, 4, 3]. */
async function trained(operator: string, attributes: Record<string, number>, value: number): Promise<readonly number[]> {
  const form = trainingForm(graphWith(operator, attributes));
  const x = tensor(
    "float32",
    [rows, 4, 3],
    Array.from({ length: rows * 12 }, () => value),
  );
  const results = await (await backend.compile(form)).run({ x, ...randomFeeds(form, { seed: 3, step: 1, batch: rows }) });
  return toNumbers(results["y"] as Tensor);
}

function momentsOf(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) };
}

// 6000 draws: their mean is within 0.05 deviations of the true one, and their deviation within 5%, four standard errors and more.
test("GaussianNoise adds noise of its deviation, GaussianDropout multiplies by noise of dropout's variance", async () => {
  const added = momentsOf(await trained("GaussianNoise", { stddev: 0.5 }, 2));
  expect(Math.abs(added.mean - 2)).toBeLessThan(0.025);
  expect(added.deviation / 0.5).toBeCloseTo(1, 1);
  const scaled = momentsOf(await trained("GaussianDropout", { rate: 0.2 }, 4)); // deviation 4 sqrt(0.2 / 0.8) = 2
  expect(Math.abs(scaled.mean - 4)).toBeLessThan(0.1);
  expect(scaled.deviation / 2).toBeCloseTo(1, 1);
});

test("SpatialDropout drops whole channels, DropPath whole rows, and what they keep is scaled up", async () => {
  const channels = await trained("SpatialDropout", { rate: 0.25 }, 3);
  const kept = Array.from({ length: rows * 4 }, (_, i) => new Set(channels.slice(i * 3, i * 3 + 3)));
  expect(kept.every((values) => values.size === 1 && (values.has(0) || values.has(4)))).toBe(true); // 3 / 0.75
  expect(kept.filter((values) => values.has(4)).length / kept.length).toBeCloseTo(0.75, 1);

  const last = await trained("SpatialDropout", { rate: 0.25, axis: -1 }, 3);
  const columns = Array.from(
    { length: rows * 3 },
    (_, i) => new Set([0, 1, 2, 3].map((place) => last[Math.floor(i / 3) * 12 + place * 3 + (i % 3)])),
  );
  expect(columns.every((values) => values.size === 1)).toBe(true);
  expect(new Set(columns.slice(0, 30).map((values) => [...values][0])).size).toBe(2);

  const paths = await trained("DropPath", { rate: 0.5 }, 1);
  const whole = Array.from({ length: rows }, (_, i) => new Set(paths.slice(i * 12, i * 12 + 12)));
  expect(whole.every((values) => values.size === 1 && (values.has(0) || values.has(2)))).toBe(true);
  expect(whole.filter((values) => values.has(2)).length / rows).toBeCloseTo(0.5, 1);
});

test("AlphaDropout keeps mean 0 and variance 1 of normal numbers", async () => {
  const form = trainingForm(graphWith("AlphaDropout", { rate: 0.3 }));
  const normal = { distribution: "normal" } as const;
  const drawn = { ...form, inputs: form.inputs.map((input) => (input.name === "x" ? { ...input, random: normal } : input)) };
  const results = await (await backend.compile(form)).run(randomFeeds(drawn, { seed: 5, step: 1, batch: rows }));
  const { mean, deviation } = momentsOf(toNumbers(results["y"] as Tensor));
  expect(Math.abs(mean)).toBeLessThan(0.05);
  expect(deviation).toBeCloseTo(1, 1);
});

test("noise of strength 0 draws nothing, a gradient passes when predicting, and strengths outside their range are refused", () => {
  expect(trainingForm(graphWith("GaussianNoise", { stddev: 0 })).inputs.length).toBe(1);
  expect(trainingForm(graphWith("SpatialDropout", { rate: 0 })).nodes.map(({ operator }) => operator)).toEqual(["Identity"]);
  const builder = new GraphBuilder("gradient");
  const x = builder.input("x", "float32", [2]);
  const y = builder.op("DropPath", [x], { rate: 0.5 });
  expect(differentiate(builder, builder.op("ReduceSum", [y], { keepdims: 0 }), [x])[0]?.shape).toEqual([2]);
  const inputs = [["batch", 4]] as const;
  expect(() => inferred("SpatialDropout", { inputs, attributes: { rate: 1 } })).toThrow(/rate must be from 0 to below 1, not 1/);
  expect(() => inferred("SpatialDropout", { inputs, attributes: { rate: 0.5, axis: 2 } })).toThrow(/axis 2 is outside rank 2/);
  expect(() => inferred("GaussianNoise", { inputs, attributes: { stddev: -1 } })).toThrow(/stddev must be from 0 .* not -1/);
});

test("two dropouts of one value draw each their own numbers, simplified too", () => {
  const builder = new GraphBuilder("two");
  const x = builder.input("x", "float32", ["batch", 4]);
  const dropped = [0, 1].map(() => builder.op("Dropout", [x, builder.scalar(0.5, "float32")]));
  builder.output("y", builder.op("Sub", dropped));
  expect(trainingForm(simplify(builder.build())).inputs.filter(({ random }) => random !== undefined)).toHaveLength(2);
});
