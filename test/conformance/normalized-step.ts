import {
  adam,
  createTrainingGraph,
  GraphBuilder,
  Random,
  randomFeeds,
  softmaxCrossEntropy,
  tensor,
  type Tensor,
  type Value,
} from "../../core/index.ts";
import { feedsOf, type TrainingStep } from "./training-step.ts";

const [time, features, units, classes] = [4, 5, 6, 3];

/** What training writes in another form than prediction: an LSTM, batch and layer normalization, and dropout, under Adam. */
export function normalizedStep(): TrainingStep {
  const random = new Random(42);
  const state: Record<string, Tensor> = {};
  const builder = new GraphBuilder("normalized");
  const parameter = (
    name: string,
    shape: readonly number[],
    { start, role = "parameter" }: { start?: number; role?: "parameter" | "statistic" } = {},
  ): Value => {
    const count = shape.reduce((a, b) => a * b, 1);
    state[name] = tensor(
      "float32",
      shape,
      start === undefined ? random.normals(count, { standardDeviation: 0.4 }) : new Float32Array(count).fill(start),
    );
    return builder.state(name, "float32", shape, { role });
  };
  const channels = (layer: string): readonly Value[] => [
    parameter(`${layer}/gamma`, [units], { start: 1 }),
    parameter(`${layer}/beta`, [units], { start: 0 }),
  ];
  const x = builder.input("x", "float32", ["batch", time, features]);
  const weights = [parameter("lstm/w", [1, 4 * units, features]), parameter("lstm/r", [1, 4 * units, units]), parameter("lstm/b", [1, 8 * units])];
  const [, last = x] = builder.ops("LSTM", [x, ...weights], 2, { layout: 1, hidden_size: units });
  const hidden = builder.op("Reshape", [last, builder.ints([-1, units])]); // [batch, units]
  const statistics = [
    parameter("batch/mean", [units], { start: 0, role: "statistic" }),
    parameter("batch/variance", [units], { start: 1, role: "statistic" }),
  ];
  const byBatch = builder.op("BatchNormalization", [hidden, ...channels("batch"), ...statistics], { momentum: 0.8, epsilon: 1e-3 });
  const byRow = builder.op("LayerNormalization", [builder.op("Relu", [byBatch]), ...channels("layer")], { epsilon: 1e-2 });
  const dropped = builder.op("Dropout", [byRow, builder.scalar(0.25, "float32")]);
  builder.output("logits", builder.op("Gemm", [dropped, parameter("w", [units, classes]), parameter("c", [classes], { start: 0 })]));
  const forward = builder.build();
  const graph = createTrainingGraph({ graph: forward }, { loss: softmaxCrossEntropy({ output: "logits" }), optimizer: adam() });
  const rows = feedsOf({ input: [time, features], classes });
  return {
    graph,
    forward,
    state,
    feeds(step) {
      const feeds = rows(step);
      return { ...feeds, ...randomFeeds(graph, { seed: 9, step, batch: feeds["labels"]?.shape[0] ?? 1 }) };
    },
  };
}
