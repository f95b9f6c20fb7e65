import { readFile } from "node:fs/promises";
import { afterAll, describe, expect, test } from "vitest";
import { openReference } from "../../../backends/reference/index.ts";
import { importOnnx } from "../../formats/onnx-import/import-onnx.ts";
import { toOnnx, toOnnxModel } from "../../formats/onnx.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { copyInto } from "../../graph/copy-into.ts";
import { differentiate } from "../../graph/differentiate.ts";
import { trainingForm } from "../../graph/training-form.ts";
import type { Model } from "../../models/model.ts";
import { tensor, toNumbers, type Tensor } from "../../tensor.ts";
import { randomFeeds } from "../../training/random-feeds.ts";
import { lstm, sequential } from "../index.ts";
import type { Packed } from "../testing/golden-layers.ts";
import { fromKerasConfig, toKerasConfig, withKerasWeights } from "./index.ts";

interface Golden {
  readonly name: string;
  readonly model: unknown;
  readonly weights: Readonly<Record<string, readonly Packed[]>>;
  /** What is kept, for each gate in Keras's order. */
  readonly masks: Readonly<Partial<Record<"input" | "state", readonly Packed[]>>>;
  readonly x: Packed;
  readonly cotangent: Packed;
  readonly output: Packed;
  readonly predicted: Packed;
  readonly gradient: Packed;
}

// Recurrent layers of Keras 3 in float64 with given masks (test/golden/make-recurrent-dropout.py). Ours are float32.
const cases = JSON.parse(await readFile(new URL("../../../test/golden/recurrent-dropout.json", import.meta.url), "utf8")) as readonly Golden[];
const backend = openReference();
afterAll(() => backend.dispose());

const unpack = ({ shape, data }: Packed): Tensor => tensor("float32", shape, data);
const modelOf = ({ model, weights }: Golden): Model =>
  withKerasWeights(fromKerasConfig(model), Object.fromEntries(Object.entries(weights).map(([name, list]) => [name, list.map(unpack)])));
const close = (found: Tensor | undefined, expected: Packed): void => {
  expect(found?.shape).toEqual(expected.shape);
  toNumbers(found!).forEach((value, i) => expect(value).toBeCloseTo(expected.data[i]!, 4));
};

describe("with Keras's masks, every gate's own and the same at all steps", () => {
  test.for(cases.map((golden) => [golden.name, golden] as const))("%s: outputs and gradients are Keras's", async ([, golden]) => {
    const model = modelOf(golden);
    const builder = new GraphBuilder("golden");
    const [y] = Object.values(copyInto(builder, trainingForm(model.graph)));
    builder.output("y", y!);
    const cotangent = builder.input("cotangent", "float32", ["batch", ...golden.cotangent.shape.slice(1)]);
    const loss = builder.op("ReduceSum", [builder.op("Mul", [y!, cotangent])], { keepdims: 0 });
    builder.output("gradient", differentiate(builder, loss, [builder.value("x")])[0]!);
    const graph = builder.build();
    // Masks are drawn for the input first, then for the state; an LSTM's gates lie i, f, c, o in Keras and i, o, f, c here.
    const order = golden.name.startsWith("LSTM") ? [0, 3, 1, 2] : [0, 1, 2];
    const masks = (["input", "state"] as const).flatMap((which) => order.flatMap((gate) => golden.masks[which]?.[gate] ?? []));
    const drawn = graph.inputs.filter(({ random }) => random !== undefined);
    expect(drawn).toHaveLength(masks.length);
    const executable = await backend.compile(graph, { state: model.state });
    const found = await executable.run({
      x: unpack(golden.x),
      cotangent: unpack(golden.cotangent),
      ...Object.fromEntries(drawn.map(({ name }, i) => [name, tensor("bool", masks[i]!.shape, masks[i]!.data.map(Boolean))])),
    });
    close(found["y"], golden.output);
    close(found["gradient"], golden.gradient);
    await executable.dispose();
  });

  test.for(cases.map((golden) => [golden.name, golden] as const))("%s: predicts as Keras and goes to its JSON and to ONNX", async ([, golden]) => {
    const model = modelOf(golden);
    expect(fromKerasConfig(toKerasConfig(model)).graph).toEqual(fromKerasConfig(golden.model).graph);
    expect(toOnnxModel(model.graph, { state: model.state }).nodes.filter(({ attributes }) => attributes["layout"]?.value === 1)).toEqual([]); // ONNX Runtime runs none
    const exported = importOnnx(toOnnx(model.graph, { state: model.state }));
    for (const { graph, state } of [model, exported]) {
      const executable = await backend.compile(graph, { state });
      close(Object.values(await executable.run({ x: unpack(golden.x) }))[0], golden.predicted);
      await executable.dispose();
    }
  });
});

test("a step draws as many masks as there are gates, and keeps about the share that it shall", () => {
  const model = sequential({ input: { name: "x", shape: [3, 2] }, layers: [lstm({ units: 50, recurrentDropout: 0.2 })], output: "y" });
  const feeds = Object.values(randomFeeds(trainingForm(model.graph), { seed: 1, step: 1, batch: 40 }));
  expect(feeds.map(({ shape }) => shape)).toEqual(Array.from({ length: 4 }, () => [40, 50]));
  // 8000 draws: the standard error of the share is 0.0045.
  const values = feeds.flatMap(toNumbers);
  expect(Math.abs(values.reduce((a, b) => a + b, 0) / values.length - 0.8)).toBeLessThan(0.02);
  expect(() => lstm({ units: 2, recurrentDropout: 1 })).toThrow("lstm: recurrentDropout must be a number from 0 and below 1, not 1");
});
