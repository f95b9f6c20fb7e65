import { expect, test } from "vitest";
import { tensor } from "../../tensor.ts";
import { accuracy } from "./accuracy.ts";
import { onOutput } from "./on-output.ts";
import { mae, rootMeanSquaredError } from "./regression.ts";

test("a row counts as much as its weight says", () => {
  const right = accuracy().start();
  right.add(
    { logits: tensor("float32", [3, 2], [1, 0, 0, 1, 0, 1]) },
    tensor("int32", [3], [0, 0, 1]), // right, wrong, right
    tensor("float32", [3], [1, 5, 2]),
  );
  expect(right.result()).toBeCloseTo(3 / 8, 12);
  const outputs = { prediction: tensor("float32", [2, 2], [1, 2, 3, 4]) };
  const zeros = tensor("float32", [2, 2], [0, 0, 0, 0]);
  const weights = tensor("float32", [2], [1, 3]);
  const absolute = mae().start();
  absolute.add(outputs, zeros, weights);
  expect(absolute.result()).toBeCloseTo((1 + 2 + 3 * (3 + 4)) / 8, 12); // two values a row
  const squared = rootMeanSquaredError().start();
  squared.add(outputs, zeros, weights);
  expect(squared.result()).toBeCloseTo(Math.sqrt((1 + 4 + 3 * (9 + 16)) / 8), 12);
});

test("a metric reads the output that it is put on", () => {
  const metric = onOutput(accuracy(), { output: "species", labels: "labels/kind" });
  expect(metric).toMatchObject({ name: "species/accuracy", output: "species", labels: "labels/kind" });
  const sums = metric.start();
  sums.add({ logits: tensor("float32", [1, 2], [1, 0]), species: tensor("float32", [1, 2], [0, 1]) }, tensor("int32", [1], [1]));
  expect(sums.result()).toBe(1);
  expect(() => onOutput({ name: "own", start: () => sums }, { output: "species" })).toThrow(/"own" does not say which output it reads/);
});
