import { expect, test } from "vitest";
import { GraphBuilder } from "../graph/builder.ts";
import { differentiate } from "../graph/differentiate.ts";
import { trainingForm } from "../graph/training-form.ts";
import { inferred, type TestInput } from "./testing/infer.ts";

const plain = [
  [5, "batch", 3],
  [1, 16, 3],
  [1, 16, 4],
] as const;

test("LSTM, GRU and RNN give all steps and the last states, with time or the batch first", () => {
  expect(inferred("LSTM", { inputs: plain, outputs: 3 })).toEqual(["float32 5,1,batch,4", "float32 1,batch,4", "float32 1,batch,4"]);
  const both = [["batch", 5, 3], [2, 12, 3], [2, 12, 4], [2, 24], { dtype: "int32", shape: ["batch"] }, ["batch", 2, 4]] as const;
  expect(inferred("GRU", { inputs: both, attributes: { direction: "bidirectional", layout: 1 }, outputs: 2 })).toEqual([
    "float32 batch,5,2,4",
    "float32 batch,2,4",
  ]);
  expect(
    inferred("RNN", {
      inputs: [
        [1, "batch", 3],
        [1, 4, 3],
        [1, 4, 4],
      ],
      attributes: { direction: "reverse", hidden_size: 4 },
    }),
  ).toEqual(["float32 1,1,batch,4"]);
});

test("LSTM refuses what it has not, by name, and shapes that do not go together, with both of them", () => {
  const lstm = (attributes: Record<string, number | string | readonly string[]>, inputs: readonly TestInput[] = plain) => {
    return (): unknown => inferred("LSTM", { inputs, attributes });
  };
  expect(lstm({ input_forget: 1 })).toThrow(/input_forget 1 .* is not there/);
  expect(lstm({ activations: ["Sigmoid", "Tanh", "HardSigmoid"] })).toThrow(/activation "HardSigmoid" is not there; it has Sigmoid, Tanh, Relu/);
  expect(lstm({ activations: ["Sigmoid"] })).toThrow(/must name 3, 3 for each direction/);
  expect(lstm({ direction: "backward" })).toThrow(/direction "backward" is not forward, reverse or bidirectional/);
  expect(lstm({ direction: "bidirectional" })).toThrow(/W must be \[2, 16, 3\] for 2 direction\(s\) of 4 units, not \[1, 16, 3\]/);
  expect(lstm({ layout: 2 })).toThrow(/layout must be 0 .* not 2/);
  expect(lstm({ hidden_size: 5 })).toThrow(/hidden_size is 5, but R \[1, 16, 4\] has 4/);
  expect(lstm({ clip: 0 })).toThrow(/clip must be above 0, not 0/);
  expect(lstm({}, [...plain, [1, 16]])).toThrow(/B must be \[1, 32\]/);
  expect(lstm({}, [...plain, undefined, { dtype: "int64", shape: ["batch"] }])).toThrow(/input 4 must be int32, not int64/);
  expect(lstm({}, [["batch", 5, 3], ...plain.slice(1)])).toThrow(/time or feature axis of X cannot be the batch dimension/);
  expect(lstm({}, [[0, "batch", 3], ...plain.slice(1)])).toThrow(/X has no time step/);
});

test("a training step holds the time steps of an LSTM written out, once for the loss and its gradient", () => {
  const builder = new GraphBuilder("sequence");
  const x = builder.input("x", "float32", [6, "batch", 3]);
  const weights = [builder.state("w", "float32", [1, 16, 3]), builder.state("r", "float32", [1, 16, 4])];
  builder.output("y", builder.op("LSTM", [x, ...weights]));
  const nodes = trainingForm(builder.build()).nodes;
  expect(nodes.filter(({ operator }) => operator === "LSTM")).toEqual([]);
  // The first step starts from zeros and has no product with R; all inputs meet W in one.
  expect([nodes.filter(({ operator }) => operator === "Gemm").length, nodes.filter(({ operator }) => operator === "MatMul").length]).toEqual([5, 1]);
});

test("a gradient through an LSTM that predicts goes through its time steps", () => {
  const builder = new GraphBuilder("sequence");
  const x = builder.input("x", "float32", [2, 1, 3]);
  const r = builder.state("r", "float32", [1, 16, 4]);
  const y = builder.op("LSTM", [x, builder.state("w", "float32", [1, 16, 3]), r]);
  const [dr] = differentiate(builder, builder.op("ReduceSum", [y], { keepdims: 0 }), [r]);
  expect(dr?.shape).toEqual([1, 16, 4]);
});

test("a sequence that is too long to be written out is refused, with both lengths", () => {
  const builder = new GraphBuilder("long");
  const x = builder.input("x", "float32", [5000, "batch", 1]);
  builder.output("y", builder.op("RNN", [x, builder.state("w", "float32", [1, 1, 1]), builder.state("r", "float32", [1, 1, 1])]));
  expect(() => trainingForm(builder.build())).toThrow("RNN: 5000 time steps would be written out one by one; cut the sequences to 4096");
});
