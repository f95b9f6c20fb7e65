import { expect, test } from "vitest";
import { tensor } from "../tensor.ts";
import { adaptNormalization } from "./index.ts";

test("mean and variance of each feature, over tensors one after the other", () => {
  const parts = [tensor("float32", [2, 2], [1, 10, 3, 30]), tensor("float32", [1, 2], [8, 20])];
  const found = adaptNormalization(parts);
  expect(found.mean).toEqual([4, 20]);
  // (9 + 1 + 16) / 3 and (100 + 100 + 0) / 3
  (found.variance as readonly number[]).forEach((value, i) => expect(value).toBeCloseTo([26 / 3, 200 / 3][i]!, 12));
});

test("of the channels of images, over all places; a large mean costs no digits", () => {
  const offset = 1e4;
  const { mean, variance } = adaptNormalization(
    tensor(
      "float32",
      [2, 2, 1, 2],
      [1, 3, 0, 0, 5, 7, 4, 4].map((value) => value + offset),
    ),
    { axis: 1 },
  );
  expect(mean).toEqual([4 + offset, 2 + offset]); // channel 0 holds 1, 3, 5, 7 and channel 1 holds 0, 0, 4, 4
  (variance as readonly number[]).forEach((value, i) => expect(value).toBeCloseTo([5, 4][i]!, 9));
});

test("no rows, and an axis that is not there, are refused", () => {
  expect(() => adaptNormalization([])).toThrow("adaptNormalization: there are no rows to learn from");
  expect(() => adaptNormalization(tensor("float32", [2, 2], [1, 2, 3, 4]), { axis: 2 })).toThrow("axis 2 is none of [2, 2] after the rows");
});
