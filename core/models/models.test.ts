import { afterAll, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { elementCount, tensor, toNumbers } from "../tensor.ts";
import { convNet, linear, mlp, type Model } from "./index.ts";

const backend = openReference();
afterAll(() => backend.dispose());
const ten = { task: "classification", classes: 10 } as const;
const regression = { task: "regression" } as const;

function parameters(model: Model): number {
  return Object.values(model.state).reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

test("a linear model starts by predicting the mean, and no class before another", async () => {
  for (const [head, name] of [
    [regression, "prediction"],
    [ten, "logits"],
  ] as const) {
    const model = linear({ width: 3, head });
    const executable = await backend.compile(model.graph, { state: model.state });
    const outputs = await executable.run({ features: tensor("float32", [2, 3], [1, 2, 3, 4, 5, 6]) });
    expect(toNumbers(outputs[name]!).every((value) => value === 0)).toBe(true);
    await executable.dispose();
  }
});

test("parameter counts are those of the plan", () => {
  expect(parameters(linear({ width: 7, head: ten }))).toBe(7 * 10 + 10);
  expect(parameters(mlp({ width: 784, head: ten, hidden: [512, 256] }))).toBe(784 * 512 + 512 + 512 * 256 + 256 + 256 * 10 + 10);
  // 8x8 is halved twice: 64 filters of 2x2 reach the dense layer.
  expect(parameters(convNet({ shape: [1, 8, 8], head: ten }))).toBe(9 * 32 + 32 + 32 * 9 * 64 + 64 + 64 * 4 * 128 + 128 + 128 * 10 + 10);
  expect(parameters(convNet({ shape: [1, 28, 28], head: ten }))).toBe(9 * 32 + 32 + 32 * 9 * 64 + 64 + 64 * 49 * 128 + 128 + 128 * 10 + 10);
});

test("a seed is a model: the same one gives the same weights, another one others", () => {
  const kernel = (seed: number): unknown => mlp({ width: 4, head: regression, seed }).state["dense/kernel"];
  expect(kernel(3)).toEqual(kernel(3));
  expect(kernel(3)).not.toEqual(kernel(4));
});

test("more rows get a wider network", () => {
  const sizes = [100, 5_000, 50_000].map((rows) => parameters(mlp({ width: 10, head: ten, rows })));
  expect(sizes[0]).toBeLessThan(sizes[1]!);
  expect(sizes[1]).toBeLessThan(sizes[2]!);
});

test.each([
  [1, 1],
  [2, 3],
  [5, 64],
])("a convolutional network is built for an image as small as %i x %i", async (height, width) => {
  const model = convNet({ shape: [3, height, width], head: ten });
  const executable = await backend.compile(model.graph, { state: model.state });
  const outputs = await executable.run({
    image: tensor(
      "float32",
      [1, 3, height, width],
      Array.from({ length: 3 * height * width }, () => 1),
    ),
  });
  expect(outputs["logits"]?.shape).toEqual([1, 10]);
  await executable.dispose();
});

test("wrong shapes and class counts are refused", () => {
  expect(() => convNet({ shape: [8, 8] as unknown as [number, number, number], head: ten })).toThrow(
    "convNet: shape must be [channels, height, width]",
  );
  expect(() => linear({ width: 3, head: { task: "classification", classes: 1 } })).toThrow("a classifier needs at least 2 classes, not 1");
  expect(() => mlp({ width: 3, head: regression, hidden: [0] })).toThrow("units must be a whole number from 1, not 0");
});
