import { expect, it, vi } from "vitest";
import { checkModelName, chooseNetworks, familyOf, modelNames } from "./index.ts";

vi.setConfig({ testTimeout: 60_000 }); // the largest network has 25 million parameters to draw

const table = familyOf({ features: [{ kind: "number", column: "x", mean: 0, standardDeviation: 1, missing: false }] });
const tokens = { kind: "text", column: "review", merges: [2, 3], maxLength: 8 } as const;
const text = familyOf({ features: [{ kind: "category", column: "c", vocabulary: ["a", "b"] }, tokens] });
const past = { kind: "series", column: "y", window: 8, mean: 0, standardDeviation: 1 } as const;
const series = familyOf({ features: [past, { ...past, column: "x" }] });
const images = familyOf({ features: [{ kind: "image", column: "image", shape: [3, 32, 32], scale: 1 / 255 }] });

it("trains the floor and a network when nobody says which, and the one that is named otherwise", () => {
  expect([table.kind, images.kind, text.kind, series.kind]).toEqual(["table", "images", "text", "series"]);
  expect(chooseNetworks(table, "auto")).toEqual(["linear", "network"]);
  expect(chooseNetworks(images, "conv-net")).toEqual(["conv-net"]);
});

it("refuses an unknown name with the nearest and the list, and a network of other data with those of this data", () => {
  expect(() => checkModelName("convnet2")).toThrow(/no model "convnet2"; did you mean "conv-net"\? \(auto, linear, network, /);
  expect(() => checkModelName("zzzzzz")).toThrow(/no model "zzzzzz" \(auto, /);
  expect(() => chooseNetworks(table, "conv-net")).toThrow(
    /"conv-net" is for images, and this is a table of numbers and categories; choose auto, linear, /,
  );
});

it("builds every network of every kind of data, with the head that the task needs", () => {
  for (const [family, features] of [
    [table, [{ kind: "number", column: "x", mean: 0, standardDeviation: 1, missing: false }]],
    [images, [{ kind: "image", column: "photo", shape: [3, 32, 32], scale: 1 / 255 }]],
    [series, [past, { ...past, column: "x" }]],
    [text, [{ kind: "category", column: "c", vocabulary: ["a", "b"] }, tokens]],
  ] as const) {
    for (const [name, build] of Object.entries(family.networks)) {
      let parameters = 0;
      for (const head of [{ task: "classification", classes: 3 }, { task: "regression" }] as const) {
        if (family === series && head.task === "classification") continue; // a forecast is of numbers
        if (parameters > 5e6) continue; // drawing their first values twice takes long, and the end is written the same way
        const context = { features: { features }, head, rows: 500, seed: 1 };
        const { graph, config, state } = build(context);
        parameters = Object.values(state).reduce((sum, { data }) => sum + data.length, 0);
        const output = graph.values[graph.outputs[head.task === "regression" ? "prediction" : "logits"] ?? ""];
        expect({ name, shape: output?.shape }).toEqual({ name, shape: ["batch", head.task === "regression" ? 1 : 3] });
        expect(config["name"]).toBeTypeOf("string");
        expect(family.recipe(name, context).epochs).toBeGreaterThan(0);
      }
    }
  }
  expect(modelNames).toContain("conv-net");
});

it("refuses an image beside other columns", () => {
  const mixed = familyOf({
    features: [
      { kind: "image", column: "photo", shape: [3, 8, 8], scale: 1 },
      { kind: "number", column: "x", mean: 0, standardDeviation: 1, missing: false },
    ],
  });
  expect(() =>
    mixed.networks.network({
      features: { features: [{ kind: "number", column: "x", mean: 0, standardDeviation: 1, missing: false }] },
      head: { task: "regression" },
      rows: 10,
      seed: 0,
    }),
  ).toThrow(/take one image column and no other, not "x"/);
});
