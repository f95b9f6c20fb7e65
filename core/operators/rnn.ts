import type { Operator } from "./operator.ts";
import { recurrent, withDropout, type RecurrentRule } from "./recurrent.ts";

const rule: RecurrentRule = {
  name: "RNN",
  gates: 1,
  states: 1,
  activations: ["Tanh"],
  joinsBiases: () => true,
  cell({ recurrence, activate }) {
    const plusState = recurrence({ from: 0, to: 1 });
    return (projected, [h]) => [activate(0, h ? plusState(h, projected) : projected)];
  },
};

/**
 * The simple recurrent network over a sequence: X, W, R, B, sequence_lens, initial_h to Y, Y_h. H = tanh(X W^T + H R^T + Wb + Rb).
 *
 * `clip` bounds what goes into the function. Its gradient goes through its lowering, unrolled over time.
 * @see https://onnx.ai/onnx/operators/onnx__RNN.html
 */
export const rnn: Operator = recurrent(rule);

/** An RNN that drops in training; inputs, outputs and attributes are those of `rnn`, with `dropout` and `recurrent_dropout`. */
export const dropoutRnn: Operator = withDropout(rule);
