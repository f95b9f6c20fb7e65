import type { Operator, Value } from "./operator.ts";
import { recurrent, rowParts, withDropout, type Direction, type RecurrentRule, type Step } from "./recurrent.ts";

const rule: RecurrentRule = {
  name: "GRU",
  gates: 3,
  states: 1,
  activations: ["Sigmoid", "Tanh"],
  attributes: { linear_before_reset: { kind: "int", default: 0 } },
  joinsBiases: (attributes) => attributes.int("linear_before_reset") === 0,
  cell: (direction) => (direction.attributes.int("linear_before_reset") === 0 ? resetBefore(direction) : resetAfter(direction)),
};

/**
 * Gated recurrent units over a sequence: X, W, R, B, sequence_lens, initial_h to Y, Y_h.
 *
 * z, r = sigmoid(X W^T + H R^T + Wb + Rb); h = tanh(X W^T + (r H) R^T + Rb + Wb), or with `linear_before_reset` (Keras's reset_after, PyTorch's
 * only form) tanh(X W^T + r (H R^T + Rb) + Wb), in the rows' order z, r, h; H = (1 - z) h + z H. `clip` bounds what goes into each function.
 * With sequence_lens, Y is 0 past a row's end and Y_h is its state there. Its gradient goes through its lowering, unrolled over time.
 * @see https://onnx.ai/onnx/operators/onnx__GRU.html
 * @see K. Cho et al., Learning phrase representations using RNN encoder-decoder for statistical machine translation (2014)
 */
export const gru: Operator = recurrent(rule);

/** A GRU that drops in training; inputs, outputs and attributes are those of `gru`, with `dropout` and `recurrent_dropout`. */
export const dropoutGru: Operator = withDropout(rule);

function resetBefore(direction: Direction): Step {
  const { emit, size, recurrence, activate } = direction;
  const [plusGates, plusCandidate] = [recurrence({ from: 0, to: 2 }), recurrence({ from: 2, to: 3 })];
  return (projected, [h]) => {
    const [gates = projected, candidate = projected] = rowParts(emit, projected, [2 * size, size]);
    const [z, r] = rowParts(emit, activate(0, h ? plusGates(h, gates) : gates), [size, size]) as [Value, Value]; // two sizes
    const sum = h ? plusCandidate(emit.op("Mul", [r, h]), candidate) : candidate;
    return [mixed(direction, { z, h, fresh: activate(1, sum) })];
  };
}

function resetAfter(direction: Direction): Step {
  const { emit, size, recurrence, bias, activate } = direction;
  const plusState = recurrence({ from: 0, to: 3 });
  return (projected, [h]) => {
    const [gates = projected, candidate = projected] = rowParts(emit, projected, [2 * size, size]);
    const recurrence = h ? plusState(h, bias) : bias; // [batch, 3 hidden], or the bias alone
    const [toGates, toCandidate] = recurrence ? rowParts(emit, recurrence, [2 * size, size]) : [];
    const plus = (sum: Value, other: Value | undefined): Value => (other ? emit.op("Add", [sum, other]) : sum);
    const [z, r] = rowParts(emit, activate(0, plus(gates, toGates)), [size, size]) as [Value, Value]; // two sizes
    const sum = plus(candidate, toCandidate && emit.op("Mul", [r, toCandidate]));
    return [mixed(direction, { z, h, fresh: activate(1, sum) })];
  };
}

/** (1 - z) fresh + z h. */
function mixed({ emit }: Direction, { z, h, fresh }: { readonly z: Value; readonly h: Value | undefined; readonly fresh: Value }): Value {
  const taken = emit.op("Mul", [emit.op("Sub", [emit.scalar(1, z.dtype), z]), fresh]);
  return h ? emit.op("Add", [taken, emit.op("Mul", [z, h])]) : taken;
}
