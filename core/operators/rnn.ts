import type { Operator } from "./operator.ts";
import { recurrent } from "./recurrent.ts";

/**
 * The simple recurrent network over a sequence: X, W, R, B, sequence_lens, initial_h to Y, Y_h. H = tanh(X W^T + H R^T + Wb + Rb).
 *
 * `clip` bounds what goes into the function. Its gradient goes through its lowering, unrolled over time.
 * @see https://onnx.ai/onnx/operators/onnx__RNN.html
 */
export const rnn: Operator = recurrent({
  name: "RNN",
  gates: 1,
  states: 1,
  activations: ["Tanh"],
  joinsBiases: () => true,
  cell:
    ({ emit, r, activate }) =>
    (projected, [h]) => [activate(0, h ? emit.op("Gemm", [h, r, projected], { transB: 1 }) : projected)],
});
