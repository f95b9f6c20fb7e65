import { afterAll, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { tensor, toNumbers } from "../tensor.ts";
import { deepAveraging } from "./index.ts";

const backend = openReference();
afterAll(() => backend.dispose());

test("the mean is over the tokens that are there, and the other features stand beside it", async () => {
  const model = deepAveraging({
    texts: [{ input: "review", vocabulary: 4, maxLength: 3 }],
    width: 1,
    head: { task: "regression" },
    units: 2,
    hidden: [],
  });
  const state = {
    "embedding/embeddings": tensor("float32", [4, 2], [100, 100, 1, 2, 3, 4, 5, 6]), // padding's vector must not count
    "dense/kernel": tensor("float32", [3, 1], [1, 10, 1000]),
    "dense/bias": tensor("float32", [1], [0.5]),
  };
  expect(Object.keys(model.state).toSorted()).toEqual(Object.keys(state).toSorted());
  const executable = await backend.compile(model.graph, { state });
  const outputs = await executable.run({
    review: tensor("int32", [2, 3], [1, 3, 0, 2, 0, 0]),
    features: tensor("float32", [2, 1], [0, 7]),
  });
  // (1 + 5) / 2 + 10 * (2 + 6) / 2 + 0.5, and 3 + 10 * 4 + 7000 + 0.5.
  expect(toNumbers(outputs["prediction"]!)).toEqual([43.5, 7043.5]);
  await executable.dispose();
});

test("parameter counts are those of the plan, for several texts", () => {
  const model = deepAveraging({
    texts: [
      { input: "title", vocabulary: 300, maxLength: 8 },
      { input: "body", vocabulary: 1000, maxLength: 64 },
    ],
    width: 5,
    head: { task: "classification", classes: 3 },
  });
  const parameters = Object.values(model.state).reduce((sum, { data }) => sum + data.length, 0);
  expect(parameters).toBe(1300 * 64 + (133 * 64 + 64) + (64 * 3 + 3));
});

test("a network without a text is refused", () => {
  expect(() => deepAveraging({ texts: [], head: { task: "regression" } })).toThrow("deepAveraging: there is no text input");
});
