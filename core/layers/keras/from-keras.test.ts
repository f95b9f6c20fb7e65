import { describe, expect, test } from "vitest";
import type { Layer } from "../layer.ts";
import { dense } from "../dense.ts";
import { Network } from "../network.ts";
import { sequential } from "../sequential.ts";
import { fromKerasConfig, toKerasConfig } from "./index.ts";

type Json = Record<string, unknown>;

const layer = (className: string, config: Json, from?: string): Json => ({
  class_name: className,
  config,
  name: config["name"],
  inbound_nodes: from === undefined ? [] : [[[from, 0, 0, {}]]], // as Keras 2 wrote them
});
const model = (layers: readonly Json[], output: string): Json => ({
  class_name: "Functional",
  config: { name: "m", layers, input_layers: [["x", 0, 0]], output_layers: [[output, 0, 0]] },
});
const input = (shape: readonly (number | null)[]): Json => layer("InputLayer", { name: "x", batch_shape: shape, dtype: "float32" });

test("Keras 2's form is read: lists of histories, initialisers and regularisers with fewer arguments", () => {
  const old = model(
    [
      layer("InputLayer", { name: "x", batch_input_shape: [null, 4], dtype: "float32", sparse: false }),
      layer(
        "Dense",
        { name: "d", units: 3, activation: "relu", kernel_regularizer: "l2", kernel_initializer: { class_name: "HeNormal", config: { seed: 3 } } },
        "x",
      ),
    ],
    "d",
  );
  const read = fromKerasConfig(JSON.stringify(old));
  expect(read.graph.outputs).toHaveProperty("d");
  expect(read.layers?.[0]?.config).toMatchObject({ units: 3, activation: "relu", kernelInitializer: "heNormal" });
});

test("a Sequential is read with or without an input layer", () => {
  const layers = [layer("Dense", { name: "d", units: 2, batch_input_shape: [null, 3] })];
  const read = fromKerasConfig({ class_name: "Sequential", config: { name: "s", layers } });
  expect(read.graph.inputs).toEqual([{ name: "input", dtype: "float32", shape: ["batch", 3] }]);
  expect(fromKerasConfig({ class_name: "Sequential", config: { name: "s", layers: [input([null, 3]), ...layers] } }).graph.inputs[0]?.name).toBe("x");
});

test("layers of one's own go there and back", () => {
  const scale = ({ factor }: { readonly factor: number }): Layer => ({
    kind: "Scale",
    config: { factor },
    apply: ({ emit }, x) => emit.op("Mul", [x, emit.scalar(factor, x.dtype)]),
  });
  const made = sequential({ input: { name: "x", shape: [2] }, layers: [scale({ factor: 3 })], output: "y" });
  const json = toKerasConfig(made);
  expect(() => fromKerasConfig(json)).toThrow('unknown layer classes "Scale"');
  const again = fromKerasConfig(json, {
    layers: { Scale: (config) => ({ ...scale({ factor: Number(config["factor"]) }), name: String(config["name"]) }) },
  });
  expect(again.graph).toEqual(made.graph);
});

test("a constraint's axes are those of the weight as it lies here, and go back to Keras's", () => {
  const norm = (axis: number | readonly number[]): Json => ({ class_name: "MaxNorm", config: { max_value: 2, axis } });
  const rows: readonly (readonly [Json, string, number | readonly number[]])[] = [
    [layer("LSTM", { name: "l", units: 2, kernel_constraint: norm(0) }, "x"), "l/kernel", 2], // [inputs, 8] there, [1, 8, inputs] here
    [layer("GRU", { name: "l", units: 2, recurrent_constraint: norm(1) }, "x"), "l/recurrent_kernel", 1],
    [layer("GRU", { name: "l", units: 2, bias_constraint: norm([0, 1]) }, "x"), "l/bias", 1], // [2, 6] there, [1, 12] here
    [layer("SimpleRNN", { name: "l", units: 2, bias_constraint: norm(0) }, "x"), "l/bias", 1],
    [layer("Conv1D", { name: "l", filters: 2, kernel_size: [2], kernel_constraint: norm([0, 1]) }, "x"), "l/kernel", [1, 2]],
    [layer("DepthwiseConv1D", { name: "l", kernel_size: [2], depth_multiplier: 2, depthwise_constraint: norm([1, 2]) }, "x"), "l/kernel", [0, 1]],
  ];
  for (const [json, parameter, axis] of rows) {
    const read = fromKerasConfig(model([input([null, 3, 4]), json], "l"));
    expect(read.parameters?.[parameter]).toEqual({ constraint: { kind: "maxNorm", maxValue: 2, axis } });
    const key = Object.keys(json["config"] as Json).find((name) => name.endsWith("_constraint"))!; // as written above
    const written = JSON.stringify(toKerasConfig(read));
    expect(written).toContain(`"${key}":${JSON.stringify({ module: "keras.constraints", ...((json["config"] as Json)[key] as Json) }).slice(0, -1)}`);
  }
});

describe("refused", () => {
  test("unknown classes, all at once with the nearest, in models inside too", () => {
    const inner = {
      ...model([input([null, 3]), layer("Lambda", { name: "l", function: "x" }, "x")], "l"),
      name: "inner",
      inbound_nodes: [[["x", 0, 0, {}]]],
    };
    const outer = model([input([null, 3]), layer("Densse", { name: "d", units: 2 }, "x"), inner], "d");
    expect(() => fromKerasConfig(outer)).toThrow(/unknown layer classes "Densse"; did you mean "Dense".*"Lambda"/);
  });

  test.for<[string, Json, string]>([
    [
      "a data format that is none",
      layer("Conv2D", { name: "c", filters: 1, kernel_size: [1, 1], data_format: "channels_lst" }, "x"),
      'conv2D: no dataFormat "channels_lst"; did you mean "channels_last"',
    ],
    ["an argument that is not there", layer("Dense", { name: "d", units: 2, lora_rank: 4 }, "x"), '"d" (Dense): lora_rank 4 is not there'],
    [
      "a state between batches",
      layer("LSTM", { name: "l", units: 2, stateful: true }, "x"),
      "stateful true is not there; a model keeps nothing from one prediction to the next. Build it with return_state",
    ],
    [
      "too much recurrent dropout",
      layer("LSTM", { name: "l", units: 2, recurrent_dropout: 1 }, "x"),
      "recurrentDropout must be a number from 0 and below 1, not 1",
    ],
    ["a wrong number", layer("Dense", { name: "d", units: "2" }, "x"), "units must be a whole number from 1, not 2"],
    [
      "an unknown initialiser",
      layer("Dense", { name: "d", units: 2, kernel_initializer: "glorot_unifrom" }, "x"),
      'no initialiser "glorotUnifrom"; did you mean "glorotUniform"',
    ],
    [
      "an unknown regulariser",
      layer("Dense", { name: "d", units: 2, kernel_regularizer: { class_name: "L3", config: {} } }, "x"),
      'no "L3"; did you mean "L1"',
    ],
    ["an unknown activation", layer("Dense", { name: "d", units: 2, activation: "rellu" }, "x"), 'no activation "rellu"; did you mean "relu"'],
    [
      "a norm over one of two axes that lie as one",
      layer("GRU", { name: "g", units: 2, bias_constraint: { class_name: "UnitNorm", config: { axis: 0 } } }, "x"),
      '"g" (GRU): biasConstraint is over one of the axes 0 and 1, which lie as one here; name both',
    ],
    [
      "a norm over heads",
      layer("MultiHeadAttention", { name: "a", num_heads: 1, key_dim: 2, kernel_constraint: { class_name: "UnitNorm", config: { axis: 0 } } }, "x"),
      "kernelConstraint is over axes of heads, which lie side by side here; use NonNeg or none",
    ],
    ["a layer from nowhere", layer("Dense", { name: "d", units: 2 }, "y"), 'no input reaches "d": the graph is disconnected or runs in a circle'],
    ["a name that is no text", layer("Dense", { name: 3, units: 2 }, "x"), "must be text, not 3"],
  ])("%s", ([, json, message]) => {
    expect(() => fromKerasConfig(model([input([null, 3]), json], String(json["name"])))).toThrow(message);
  });

  test("what is no configuration, and open sizes", () => {
    expect(() => fromKerasConfig("{")).toThrow("Keras configuration: not JSON");
    expect(() => fromKerasConfig([])).toThrow("the model must be an object, not []");
    expect(() => fromKerasConfig({ class_name: "Layer", config: {} })).toThrow('class_name must be "Functional" or "Sequential", not "Layer"');
    expect(() => fromKerasConfig(model([input([null, null])], "x"))).toThrow("has an open size; only the batch may be null");
    expect(() => fromKerasConfig({ class_name: "Sequential", config: { layers: 3 } })).toThrow("config.layers must be a list, not 3");
  });

  test("writing what has no configuration: functions, and graphs that were not made of layers", () => {
    const network = new Network("n");
    network.output("y", network.apply(dense({ units: 1, kernelInitializer: () => new Float32Array(2) }), network.input("x", [2])));
    const made = network.build();
    expect(() => toKerasConfig(made)).toThrow('"dense" (Dense): kernelInitializer is a function, which cannot be written down');
    expect(() => toKerasConfig({ graph: made.graph })).toThrow('"n" was not made of layers; write it with toOnnx');
  });
});
