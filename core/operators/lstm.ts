import type { Emitter, Operator, Value } from "./operator.ts";
import { recurrent, rowParts, someRows, withDropout, type Direction, type RecurrentRule, type Step } from "./recurrent.ts";

const rule: RecurrentRule = {
  name: "LSTM",
  gates: 4,
  states: 2,
  activations: ["Sigmoid", "Tanh", "Tanh"],
  attributes: { input_forget: { kind: "int", default: 0 } },
  joinsBiases: () => true,
  check({ attributes, fail }) {
    if (attributes.int("input_forget") !== 0) fail("input_forget 1 (the input and forget gates coupled) is not there");
  },
  cell,
};

/**
 * Long short-term memory over a sequence: X, W, R, B, sequence_lens, initial_h, initial_c, P (peepholes) to Y, Y_h, Y_c.
 *
 * i, o, f = sigmoid(X W^T + H R^T + Wb + Rb), c = tanh(...) in that order of rows; C = f C + i c; H = o tanh(C). `clip` bounds what goes into
 * the gates and c. With sequence_lens, Y is 0 past a row's end and Y_h is its state there; a reverse direction starts at its end.
 * `input_forget` is refused. Its gradient goes through its lowering, unrolled over time.
 * @see https://onnx.ai/onnx/operators/onnx__LSTM.html
 * @see S. Hochreiter and J. Schmidhuber, Long short-term memory (1997)
 */
export const lstm: Operator = recurrent(rule);

/** An LSTM that drops in training; inputs, outputs and attributes are those of `lstm`, with `dropout` and `recurrent_dropout`. */
export const dropoutLstm: Operator = withDropout(rule);

function cell(direction: Direction): Step {
  const { emit, size, recurrence, activate, peephole } = direction;
  const [toI, toO, toF] = [0, 1, 2].map((i) => peephole && someRows(emit, peephole, { from: i * size, to: (i + 1) * size }));
  const plusState = recurrence({ from: 0, to: 4 });
  return (projected, [h, c]) => {
    const sums = h ? plusState(h, projected) : projected; // [batch, 4 hidden]
    const [gates = sums, candidate = sums] = rowParts(emit, sums, [3 * size, size]);
    const fresh = activate(1, candidate);
    const [i, o, f] = rowParts(emit, peephole ? gates : activate(0, gates), [size, size, size]) as [Value, Value, Value]; // three sizes were given
    const gate = (sum: Value, weights: Value | undefined, state: Value | undefined): Value => {
      return peephole ? activate(0, weights && state ? plusProduct(emit, sum, weights, state) : sum) : sum;
    };
    const taken = emit.op("Mul", [gate(i, toI, c), fresh]);
    const next = c ? emit.op("Add", [emit.op("Mul", [gate(f, toF, c), c]), taken]) : taken;
    return [emit.op("Mul", [gate(o, toO, next), activate(2, next)]), next];
  };
}

function plusProduct(emit: Emitter, sum: Value, a: Value, b: Value): Value {
  return emit.op("Add", [sum, emit.op("Mul", [a, b])]);
}
