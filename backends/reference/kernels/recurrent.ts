import type { Attributes } from "../../../core/index.ts";
import { memoryFor, numbersOf, required, tensorOf, type KernelContext, type KernelFactory, type NumericTensor } from "../kernel.ts";

const lstm = recurrence({ gates: 4, states: 2, activations: ["Sigmoid", "Tanh", "Tanh"], cell: lstmCell });
const gru = recurrence({ gates: 3, states: 1, activations: ["Sigmoid", "Tanh"], cell: gruCell });
const rnn = recurrence({
  gates: 1,
  states: 1,
  activations: ["Tanh"],
  cell: ({ fromInput, recur, activate }, [h = []]) => [fromInput.map((sum, i) => activate(0, sum + recur(h, i)))],
});

/** Recurrences over time, one row and one time step after the other; every sum in double precision. What drops in training predicts as the others. */
export const recurrentKernels: Readonly<Record<string, KernelFactory>> = {
  /** @see https://onnx.ai/onnx/operators/onnx__LSTM.html */
  LSTM: lstm,
  DropoutLSTM: lstm,
  /** @see https://onnx.ai/onnx/operators/onnx__GRU.html */
  GRU: gru,
  DropoutGRU: gru,
  /** @see https://onnx.ai/onnx/operators/onnx__RNN.html */
  RNN: rnn,
  DropoutRNN: rnn,
};

type Row = readonly number[];

/** What a cell sees of one row at one time step. */
interface CellContext {
  readonly size: number;
  readonly attributes: Attributes;
  /** X W^T + Wb, one number for each row of W. */
  readonly fromInput: Row;
  /** Row `i` of R times h, plus its bias. */
  readonly recur: (h: Row, i: number) => number;
  /** An LSTM's peephole weights, 3 * size; zeros where there are none. */
  readonly peephole: (i: number) => number;
  readonly activate: (index: number, value: number) => number;
}

interface Recurrence {
  readonly gates: number;
  readonly states: number;
  readonly activations: readonly string[];
  /** The states after a step from those before. */
  readonly cell: (context: CellContext, states: readonly Row[]) => readonly Row[];
}

function lstmCell({ size, fromInput, recur, peephole, activate }: CellContext, [h = [], c = []]: readonly Row[]): readonly Row[] {
  const sum = (gate: number, unit: number): number => fromInput[gate * size + unit]! + recur(h, gate * size + unit);
  const next = c.map((old, unit) => {
    const [i, f] = [activate(0, sum(0, unit) + peephole(unit) * old), activate(0, sum(2, unit) + peephole(2 * size + unit) * old)];
    return f * old + i * activate(1, sum(3, unit));
  });
  return [next.map((cell, unit) => activate(0, sum(1, unit) + peephole(size + unit) * cell) * activate(2, cell)), next];
}

function gruCell({ size, attributes, fromInput, recur, activate }: CellContext, [h = []]: readonly Row[]): readonly Row[] {
  const gate = (index: number): Row => h.map((_, unit) => activate(0, fromInput[index * size + unit]! + recur(h, index * size + unit)));
  const [z, r] = [gate(0), gate(1)];
  const isAfter = attributes.int("linear_before_reset") !== 0;
  const reset = h.map((value, unit) => r[unit]! * value);
  return [
    h.map((old, unit) => {
      const row = 2 * size + unit;
      const fresh = activate(1, fromInput[row]! + (isAfter ? r[unit]! * recur(h, row) : recur(reset, row)));
      return (1 - z[unit]!) * fresh + z[unit]! * old;
    }),
  ];
}

const functions: Readonly<Record<string, (x: number) => number>> = {
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Tanh: Math.tanh,
  Relu: (x) => Math.max(x, 0),
};

function recurrence(rule: Recurrence): KernelFactory {
  return (context) => (inputs) => {
    const x = required(inputs, 0);
    const isRowsFirst = context.attributes.int("layout") === 1;
    const [time, batch] = isRowsFirst ? [x.shape[1]!, x.shape[0]!] : [x.shape[0]!, x.shape[1]!];
    const directions = required(inputs, 2).shape[0]!;
    const size = required(inputs, 2).shape[2]!;
    const place = (direction: number, row: number): number => (isRowsFirst ? row * directions + direction : direction * batch + row) * size;
    const y = memoryFor(x.dtype, time * directions * batch * size);
    const last = Array.from({ length: rule.states }, () => memoryFor(x.dtype, directions * batch * size));
    for (let direction = 0; direction < directions; direction += 1) {
      const name = context.attributes.string("direction");
      const isReverse = name === "reverse" || direction === 1;
      for (let row = 0; row < batch; row += 1) {
        const first = place(direction, row);
        const steps = inputs[4] ? numbersOf(inputs[4])[row]! : time;
        let states: readonly Row[] = last.map((_, i) => sliceOf(inputs[5 + i], first, size));
        for (let i = 0; i < steps; i += 1) {
          const t = isReverse ? steps - 1 - i : i;
          states = rule.cell(cellContext(context, rule, { inputs, direction, at: isRowsFirst ? row * time + t : t * batch + row }), states);
          const start = isRowsFirst ? (row * time + t) * directions + direction : (t * directions + direction) * batch + row;
          y.set(states[0]!, start * size);
        }
        last.forEach((memory, i) => memory.set(states[i]!, first));
      }
    }
    const shapes = context.outputTypes.map(({ shape }) => shape.map((length) => (length === "batch" ? batch : length)));
    return [y, ...last].slice(0, shapes.length).map((memory, i) => tensorOf(x.dtype, shapes[i]!, memory));
  };
}

interface Place {
  readonly inputs: readonly (NumericTensor | undefined)[];
  readonly direction: number;
  /** Which vector of X. */
  readonly at: number;
}

function cellContext({ attributes }: KernelContext, rule: Recurrence, { inputs, direction, at }: Place): CellContext {
  const [x, w, r] = [required(inputs, 0), required(inputs, 1), required(inputs, 2)];
  const [size, width] = [r.shape[2]!, w.shape[2]!];
  const rows = rule.gates * size;
  const bias = inputs[3] && numbersOf(inputs[3]).subarray(direction * 2 * rows, (direction + 1) * 2 * rows);
  const [values, weights, recurrent] = [numbersOf(x), numbersOf(w), numbersOf(r)];
  const names = attributes.has("activations") ? attributes.strings("activations").slice(direction * rule.activations.length) : rule.activations;
  const clip = attributes.has("clip") ? attributes.float("clip") : Infinity;
  const peephole = inputs[7] && numbersOf(inputs[7]);
  return {
    size,
    attributes,
    fromInput: Array.from({ length: rows }, (_, row) => {
      let sum = bias?.[row] ?? 0;
      for (let k = 0; k < width; k += 1) sum += weights[(direction * rows + row) * width + k]! * values[at * width + k]!;
      return sum;
    }),
    recur: (h, row) => h.reduce((sum, value, k) => sum + recurrent[(direction * rows + row) * size + k]! * value, bias?.[rows + row] ?? 0),
    peephole: (i) => peephole?.[direction * 3 * size + i] ?? 0,
    // What an LSTM's third function sees, the cell, is not clipped.
    activate: (index, value) => functions[names[index]!]!(index === 2 ? value : Math.min(Math.max(value, -clip), clip)),
  };
}

function sliceOf(value: NumericTensor | undefined, first: number, size: number): Row {
  return value ? Array.from(numbersOf(value).subarray(first, first + size)) : Array.from({ length: size }, () => 0);
}
