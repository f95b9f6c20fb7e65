import { afterAll, beforeAll, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import type { Column, Columns } from "../columns.ts";
import { Random } from "../random.ts";
import { toNumbers } from "../tensor.ts";
import { trainTable, type TrainedTable, type TrainTableOptions } from "./train-table.ts";

const backend = openReference();
let first: TrainedTable;
beforeAll(async () => {
  first = await trainTable(table(300, "quarter"), { target: "quarter", seed: 1, backend, model: "network", epochs: 10 });
});
afterAll(() => backend.dispose());

/** Points of the plane; which quarter they lie in, or which half: what tells the quarters tells the halves. */
function table(rows: number, target: "quarter" | "half"): Columns {
  const random = new Random(target === "quarter" ? 3 : 4);
  const [x, y] = [random.uniforms(rows, { low: -1, high: 1 }), random.uniforms(rows, { low: -1, high: 1 })];
  const codes = Int32Array.from({ length: rows }, (_, i) =>
    target === "half" ? Number(x[i]! * y[i]! > 0) : 2 * Number(x[i]! > 0) + Number(y[i]! > 0),
  );
  const dictionary = target === "half" ? ["odd", "even"] : ["ll", "lh", "hl", "hh"];
  return {
    length: rows,
    columns: new Map<string, Column>([
      ["x", { kind: "number", values: Float64Array.from(x) }],
      ["y", { kind: "number", values: Float64Array.from(y) }],
      [target, { kind: "string", codes, dictionary }],
    ]),
  };
}

function learnOn(options: Partial<TrainTableOptions> & { readonly freeze?: boolean; readonly bodyRate?: number } = {}): Promise<TrainedTable> {
  const { freeze, bodyRate, ...rest } = options;
  const how = { ...(freeze !== undefined && { freeze }), ...(bodyRate !== undefined && { bodyRate }) };
  const from = { name: "quarters", model: first.best.model, features: first.table.features, ...how };
  return trainTable(table(200, "half"), { target: "half", seed: 2, backend, epochs: 20, from, ...rest });
}

/** How far the first layer is from where it was. */
function moved({ best }: TrainedTable): number {
  const [now, before] = [toNumbers(best.model.state["dense/kernel"]!), toNumbers(first.best.model.state["dense/kernel"]!)];
  return Math.sqrt(now.reduce((sum, value, i) => sum + (value - before[i]!) ** 2, 0));
}

test("a body that told the quarters tells the halves under a new head, with its own features, frozen or not", async () => {
  const frozen = await learnOn({ freeze: true });
  expect(frozen.candidates.map(({ name }) => name)).toEqual(["transferred"]);
  expect(frozen.table.features).toEqual(first.table.features);
  expect(frozen.table.target).toMatchObject({ classes: ["even", "odd"] });
  expect(moved(frozen)).toBe(0);
  expect(frozen.best.model.state["transfer_head/kernel"]?.shape).toEqual([32, 2]);
  expect(frozen.best.test["accuracy"]).toBeGreaterThan(0.85); // a linear model on x and y has 0.5
  const tuned = await learnOn();
  expect(moved(tuned)).toBeGreaterThan(0);
  expect(tuned.best.test["accuracy"]).toBeGreaterThan(0.85);
  expect((await learnOn()).best.model.state).toEqual(tuned.best.model.state);
});

test("a body with a smaller rate moves less, the head does not", async () => {
  const [whole, slow] = [await learnOn({ epochs: 1 }), await learnOn({ epochs: 1, bodyRate: 0.01 })];
  expect(moved(slow)).toBeGreaterThan(0);
  // Adam's steps are the rate times a number near 1 at first, whatever the gradient: the distances are as the rates.
  expect(moved(slow) / moved(whole)).toBeLessThan(0.015);
  expect(moved(slow) / moved(whole)).toBeGreaterThan(0.006);
  expect(slow.best.recipe).toMatchObject({ groups: [{ match: "transfer_head/*" }, { match: "*", learningRateFactor: 0.01 }] });
  const faster = await learnOn({ epochs: 1, bodyRate: 0.01, learningRate: 0.03 });
  expect(moved(faster) / moved(slow)).toBeGreaterThan(5); // a rate that is asked for keeps the groups
});

test("a transferred model is itself learned on with", async () => {
  const second = await learnOn({ epochs: 2 });
  const from = { name: "halves", model: second.best.model, features: second.table.features, bodyRate: 0.5 };
  const third = await trainTable(table(200, "quarter"), { target: "quarter", seed: 2, backend, epochs: 2, from });
  expect(Object.keys(third.best.model.state)).toEqual(Object.keys(second.best.model.state));
  expect(third.best.model.state["transfer_head/kernel"]?.shape).toEqual([32, 4]);
});

test("what has no body, or does not go together with one, is refused", async () => {
  const { best, table: prepared } = await trainTable(table(200, "half"), { target: "half", seed: 2, backend, model: "linear", epochs: 1 });
  const from = { name: "halves", model: best.model, features: prepared.features };
  await expect(learnOn({ from })).rejects.toThrow(
    "halves has no body to learn on with: its last layer reads the inputs themselves; take the bundle of a network",
  );
  await expect(learnOn({ model: "mlp" })).rejects.toThrow('quarters is learned on with: the network is its own, not "mlp"; leave the model out');
  await expect(learnOn({ series: { time: "x" } })).rejects.toThrow("that is for tables, texts and images, not for forecasts");
  await expect(learnOn({ bodyRate: 0 })).rejects.toThrow("the body's rate must be a number above 0, not 0; to keep the body as it is, freeze it");
  await expect(learnOn({ bodyRate: 0.1, freeze: true })).rejects.toThrow("a frozen body has no rate of its own");
  await expect(learnOn({ target: "x" })).rejects.toThrow('quarters reads the column "x", which is to be predicted');
});
