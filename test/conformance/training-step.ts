import { differentiate, GraphBuilder, Random, scalar, tensor, type Graph, type Tensor, type Tensors, type Value } from "../../core/index.ts";

/** One whole training step as a graph, its first state, and the batches to feed it. */
export interface TrainingStep {
  readonly graph: Graph;
  /** The same network without loss and updates; its state has the same names. */
  readonly forward: Graph;
  readonly state: Tensors;
  /** The feeds of one step, from 1; every fifth batch is a smaller one. */
  readonly feeds: (step: number) => Tensors;
}

/** How the network learns. */
export type OptimizerKind = "Adam" | "Momentum";

interface Network {
  readonly name: string;
  /** Shape of one input row. */
  readonly input: readonly number[];
  readonly classes: number;
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  readonly logits: (builder: GraphBuilder, x: Value, parameter: (name: string) => Value) => Value;
}

const mlp: Network = {
  name: "mlp",
  input: [11],
  classes: 3,
  parameters: { w1: [11, 17], b1: [17], w2: [17, 9], b2: [9], w3: [9, 3], b3: [3] },
  logits: (builder, x, parameter) => {
    const first = builder.op("Relu", [builder.op("Gemm", [x, parameter("w1"), parameter("b1")])]); // [batch, 17]
    const second = builder.op("Tanh", [builder.op("Gemm", [first, parameter("w2"), parameter("b2")])]); // [batch, 9]
    return builder.op("Gemm", [second, parameter("w3"), parameter("b3")]); // [batch, 3]
  },
};

const cnn: Network = {
  name: "cnn",
  input: [1, 12, 12],
  classes: 4,
  parameters: { k1: [4, 1, 3, 3], c1: [4], k2: [6, 4, 3, 3], c2: [6], w: [54, 4], b: [4] },
  logits: (builder, x, parameter) => {
    const one = builder.op("Relu", [builder.op("Conv", [x, parameter("k1"), parameter("c1")], { pads: [1, 1, 1, 1] })]); // [batch, 4, 12, 12]
    const pooled = builder.op("MaxPool", [one], { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1] }); // [batch, 4, 6, 6]
    const two = builder.op("Relu", [builder.op("Conv", [pooled, parameter("k2"), parameter("c2")], { pads: [1, 1, 1, 1] })]); // [batch, 6, 6, 6]
    const averaged = builder.op("AveragePool", [two], { kernel_shape: [2, 2], strides: [2, 2] }); // [batch, 6, 3, 3]
    return builder.op("Gemm", [builder.op("Flatten", [averaged]), parameter("w"), parameter("b")]); // [batch, 4]
  },
};

/** A perceptron of three layers under Adam or Momentum. */
export function mlpStep(optimizer: OptimizerKind): TrainingStep {
  return trainingStep(mlp, optimizer);
}

/** Two convolutions, an overlapping max pool, an average pool and a dense layer under Adam. */
export function cnnStep(): TrainingStep {
  return trainingStep(cnn, "Adam");
}

function trainingStep(network: Network, optimizer: OptimizerKind): TrainingStep {
  const random = new Random(42);
  const parameters = Object.entries(network.parameters);
  const state = Object.fromEntries(
    parameters.map(([name, shape]) => {
      const fanIn = shape.length === 2 ? (shape[0] ?? 1) : shape.slice(1).reduce((a, b) => a * b, 1);
      const count = shape.reduce((a, b) => a * b, 1);
      return [
        name,
        tensor("float32", shape, shape.length === 1 ? new Float32Array(count) : random.normals(count, { standardDeviation: Math.sqrt(2 / fanIn) })),
      ];
    }),
  );
  return { graph: stepGraph(network, optimizer), forward: forwardGraph(network), state, feeds: feedsOf(network) };
}

function forwardGraph({ name, input, parameters, logits }: Network): Graph {
  const builder = new GraphBuilder(name);
  const x = builder.input("x", "float32", ["batch", ...input]);
  const values = new Map(Object.entries(parameters).map(([parameter, shape]) => [parameter, builder.state(parameter, "float32", shape)]));
  builder.output(
    "logits",
    logits(builder, x, (parameter) => values.get(parameter) as Value),
  ); // networks name their own parameters
  return builder.build();
}

function stepGraph({ name, input, parameters, logits }: Network, optimizer: OptimizerKind): Graph {
  const builder = new GraphBuilder(`${name}, ${optimizer}`);
  const x = builder.input("x", "float32", ["batch", ...input]);
  const labels = builder.input("labels", "int32", ["batch"]);
  const rate = builder.input("learning_rate", "float32", []);
  const step = builder.input("step", "int64", []);
  const names = Object.keys(parameters);
  const shapes = Object.values(parameters);
  const values = names.map((parameter, i) => builder.state(parameter, "float32", shapes[i] ?? []));
  const scores = logits(builder, x, (parameter) => values[names.indexOf(parameter)] as Value); // networks name their own parameters
  const loss = builder.op("SoftmaxCrossEntropyLoss", [scores, labels]);
  builder.output("loss", loss);
  builder.output("logits", scores);
  const gradients = differentiate(builder, loss, values);
  const slots = (optimizer === "Adam" ? ["adam/v", "adam/h"] : ["momentum/v"]).flatMap((slot) =>
    names.map((parameter, i) => builder.state(`${slot}/${parameter}`, "float32", shapes[i] ?? [], { role: "slot" })),
  );
  const attributes = optimizer === "Adam" ? { epsilon: 1e-7 } : { mode: "standard", alpha: 0.9, beta: 1, norm_coefficient: 1e-4 };
  const updated = builder.ops(optimizer, [rate, step, ...values, ...gradients, ...slots], values.length + slots.length, attributes);
  [...values, ...slots].forEach((value, i) => builder.update(value.name, updated[i] as Value)); // as many as were asked for
  return builder.build();
}

/** Rows around one centre a class, with enough noise that the loss falls but does not vanish. */
export function feedsOf({ input, classes }: Pick<Network, "input" | "classes">): (step: number) => Tensors {
  const size = input.reduce((a, b) => a * b, 1);
  const centres = new Random(7).normals(classes * size);
  return (step) => {
    const random = new Random(1000 + step);
    const batch = step % 5 === 0 ? 5 : 8;
    const labels = Array.from({ length: batch }, () => random.integer(classes));
    const rows = labels.flatMap((label) => Array.from({ length: size }, (_, i) => 0.5 * (centres[label * size + i] ?? 0) + random.normal()));
    return {
      x: tensor("float32", [batch, ...input], rows),
      labels: tensor("int32", [batch], labels),
      learning_rate: scalar(0.01),
      step: scalar(step, "int64") satisfies Tensor,
    };
  };
}
