import { f32, weight, type InputSpec, type OperatorSpec } from "../operator-spec.ts";

const gates = { LSTM: 4, GRU: 3, RNN: 1, DropoutLSTM: 4, DropoutGRU: 3, DropoutRNN: 1 } as const;

/** Recurrences over 1 to 5 steps, with everything that their operators take. */
export const recurrentSpecs: readonly OperatorSpec[] = [
  ...(["LSTM", "GRU", "RNN"] as const).flatMap((operator): readonly OperatorSpec[] => [
    recurrent(operator, "5 steps of 3 features, 4 units", { time: 5, width: 3, size: 4 }),
    recurrent(operator, "one step, one unit, without biases", { time: 1, width: 2, size: 1, bias: false }),
    recurrent(operator, "reverse, from given states, Y alone", { time: 3, width: 2, size: 3, direction: "reverse", initial: true, outputs: 1 }),
    recurrent(operator, "both directions, rows of other lengths, from given states", {
      time: 4,
      width: 2,
      size: 3,
      direction: "bidirectional",
      initial: true,
      lengths: true,
    }),
    recurrent(operator, "the batch first, both directions, lengths, given states", {
      time: 3,
      width: 2,
      size: 2,
      direction: "bidirectional",
      layout: 1,
      initial: true,
      lengths: true,
    }),
    recurrent(operator, "clipped", { time: 3, width: 2, size: 3, attributes: { clip: 0.4 } }),
  ]),
  ...(["DropoutLSTM", "DropoutGRU", "DropoutRNN"] as const).map((operator) =>
    recurrent(operator, "as it predicts", {
      time: 3,
      width: 2,
      size: 3,
      layout: 1,
      direction: "reverse",
      initial: true,
      attributes: { dropout: 0.2, recurrent_dropout: 0.5 },
    }),
  ),
  recurrent("GRU", "linear before reset", { time: 4, width: 3, size: 4, attributes: { linear_before_reset: 1 } }),
  recurrent("GRU", "linear before reset, both directions, given states, lengths", {
    time: 3,
    width: 2,
    size: 3,
    direction: "bidirectional",
    initial: true,
    lengths: true,
    attributes: { linear_before_reset: 1 },
  }),
  recurrent("GRU", "linear before reset, without biases", { time: 3, width: 2, size: 3, bias: false, attributes: { linear_before_reset: 1 } }),
  recurrent("LSTM", "peepholes", { time: 3, width: 2, size: 3, initial: true, peepholes: true }),
  recurrent("LSTM", "peepholes, both directions", { time: 3, width: 2, size: 2, direction: "bidirectional", peepholes: true }),
  recurrent("LSTM", "other functions", { time: 3, width: 2, size: 3, attributes: { activations: ["Sigmoid", "Tanh", "Sigmoid"] } }),
  recurrent("RNN", "Relu", { time: 3, width: 2, size: 3, attributes: { activations: ["Relu"] } }),
];

interface Recurrence {
  readonly time: number;
  readonly width: number;
  readonly size: number;
  readonly direction?: "forward" | "reverse" | "bidirectional";
  readonly layout?: 0 | 1;
  readonly bias?: boolean;
  readonly initial?: boolean;
  readonly lengths?: boolean;
  readonly peepholes?: boolean;
  readonly outputs?: number;
  readonly attributes?: NonNullable<OperatorSpec["attributes"]>;
}

function recurrent(operator: keyof typeof gates, about: string, options: Recurrence): OperatorSpec {
  const { time, width, size, direction = "forward", layout = 0, bias = true, initial = false, lengths = false, peepholes = false } = options;
  const directions = direction === "bidirectional" ? 2 : 1;
  const rows = gates[operator] * size;
  const small = { uniform: [-0.8, 0.8] } as const;
  const state = initial ? f32(layout === 1 ? ["batch", directions, size] : [directions, "batch", size]) : undefined;
  const inputs: readonly (InputSpec | undefined)[] = [
    f32(layout === 1 ? ["batch", time, width] : [time, "batch", width]),
    weight([directions, rows, width], small),
    weight([directions, rows, size], small),
    bias ? weight([directions, 2 * rows], small) : undefined,
    lengths ? { dtype: "int32", shape: ["batch"], draw: { values: [time - 1, 1, time] } } : undefined,
    state,
    ...(operator.endsWith("LSTM") ? [state, peepholes ? weight([directions, 3 * size], small) : undefined] : []),
  ];
  const given = inputs.slice(0, inputs.findLastIndex((input) => input !== undefined) + 1);
  const all = operator.endsWith("LSTM") ? 3 : 2;
  const attributes = { hidden_size: size, ...(direction !== "forward" && { direction }), ...(layout === 1 && { layout }), ...options.attributes };
  return { operator, about, inputs: given, attributes, outputs: options.outputs ?? all };
}
