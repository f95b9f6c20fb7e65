import type { Value } from "../operators/operator.ts";
import { tensor } from "../tensor.ts";
import { checkChoice } from "../nearest.ts";
import { checkNumber, checkSize, sizeOf } from "./argument.ts";
import { compact, reversed } from "./compact.ts";
import { initialize, type Initializer } from "./initializer.ts";
import { described, type Layer, type LayerContext, type LayerName, type LayerOutput } from "./layer.ts";
import { weight, type Weight, type WeightArguments } from "./weight.ts";

/** The functions inside a cell: those of ONNX's recurrent operators on every backend. */
export type CellActivation = "sigmoid" | "tanh" | "relu";

/** What all recurrent layers take, as in Keras. `unroll` is not there, and `stateful` neither: give the last state out and take it in as a further input. */
export interface RecurrentOptions extends LayerName, WeightArguments<"kernel">, WeightArguments<"recurrent">, WeightArguments<"bias"> {
  readonly units: number;
  /** Default tanh. */
  readonly activation?: CellActivation;
  readonly useBias?: boolean;
  /** Of the input's features, in training: the same features at all steps. Default 0. */
  readonly dropout?: number;
  /** Of the state that the gates see, in training: the same units at all steps, others for each gate, of which `dropout` then has masks of its own too. Default 0. */
  readonly recurrentDropout?: number;
  /** Whether the output has every step, [batch, steps, units], and not the last one alone. Default false. */
  readonly returnSequences?: boolean;
  /** Whether the last state (an LSTM's h and c) follows the output. Default false. */
  readonly returnState?: boolean;
  /** Whether the steps are taken, and returned, from the last to the first. Default false. */
  readonly goBackwards?: boolean;
  /** Whether masked steps of the output are zeros and do not repeat the step before. Default false. */
  readonly zeroOutputForMask?: boolean;
}

/** Arguments of Keras's LSTM. */
export interface LstmOptions extends RecurrentOptions {
  /** Of the gates. Default sigmoid. */
  readonly recurrentActivation?: CellActivation;
  /** Whether the forget gate's bias starts at 1. Default true. */
  readonly unitForgetBias?: boolean;
}

/** Arguments of Keras's GRU. */
export interface GruOptions extends RecurrentOptions {
  /** Of the gates. Default sigmoid. */
  readonly recurrentActivation?: CellActivation;
  /** Whether the reset gate works on the product with the recurrent kernel, with a bias of its own. Default true. */
  readonly resetAfter?: boolean;
}

type WithState<Options> = Options & { readonly returnState: true };

/** What a recurrent layer is to `bidirectional`. */
export interface RecurrentLayer<Output extends LayerOutput = LayerOutput> extends Layer<Output> {
  /** The same layer with other arguments: the other direction. */
  readonly again: (changes: Pick<RecurrentOptions, "name" | "goBackwards" | "zeroOutputForMask">) => RecurrentLayer<Output>;
}

/**
 * Long short-term memory: [batch, steps, features] -> [batch, units], or [batch, steps, units] with `returnSequences`. Further inputs are the first
 * h and c, [batch, units]. Masked steps carry the state over.
 *
 * Parameters in ONNX's layout and order of gates, i, o, f, c: `kernel` [1, 4 units, features], `recurrent_kernel` [1, 4 units, units], `bias` [1, 4 units].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no sequence
 * @see https://keras.io/api/layers/recurrent_layers/lstm/
 */
export function lstm(options: WithState<LstmOptions>): RecurrentLayer<readonly Value[]>;
export function lstm(options: LstmOptions): RecurrentLayer<Value>;
export function lstm(options: LstmOptions): RecurrentLayer {
  const { recurrentActivation = "sigmoid", unitForgetBias = true, activation = "tanh" } = options;
  checkCell("lstm", { activation, recurrentActivation });
  return recurrent(options, {
    where: "lstm",
    kind: "LSTM",
    gates: 4,
    states: 2,
    config: { recurrentActivation, unitForgetBias },
    activations: [recurrentActivation, activation, activation],
    biases: (units) => 4 * units,
    attributes: {},
    firstBias: (bias) => (unitForgetBias ? forgetting(bias) : bias),
    again: (changed) => lstm({ ...options, ...changed }),
  });
}

/**
 * Gated recurrent units: [batch, steps, features] -> [batch, units], or [batch, steps, units] with `returnSequences`. A further input is the first
 * state, [batch, units]. Masked steps carry the state over.
 *
 * Parameters `kernel` [1, 3 units, features], `recurrent_kernel` [1, 3 units, units] and `bias` [1, 6 units] (3 without `resetAfter`), gates z, r, h.
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no sequence
 * @see https://keras.io/api/layers/recurrent_layers/gru/
 */
export function gru(options: WithState<GruOptions>): RecurrentLayer<readonly Value[]>;
export function gru(options: GruOptions): RecurrentLayer<Value>;
export function gru(options: GruOptions): RecurrentLayer {
  const { recurrentActivation = "sigmoid", resetAfter = true, activation = "tanh" } = options;
  checkCell("gru", { activation, recurrentActivation });
  return recurrent(options, {
    where: "gru",
    kind: "GRU",
    gates: 3,
    states: 1,
    config: { recurrentActivation, resetAfter },
    activations: [recurrentActivation, activation],
    biases: (units) => (resetAfter ? 6 : 3) * units,
    attributes: { linear_before_reset: resetAfter ? 1 : 0 },
    again: (changed) => gru({ ...options, ...changed }),
  });
}

/**
 * h = activation(x kernel + h recurrent_kernel + bias), step by step: [batch, steps, features] -> [batch, units], or [batch, steps, units] with
 * `returnSequences`. A further input is the first state, [batch, units]. Masked steps carry the state over.
 *
 * Parameters `kernel` [1, units, features], `recurrent_kernel` [1, units, units] and `bias` [1, units].
 *
 * @throws ARGUMENT_INVALID for its arguments; GRAPH_SHAPE when the input is no sequence
 * @see https://keras.io/api/layers/recurrent_layers/simple_rnn/
 */
export function simpleRNN(options: WithState<RecurrentOptions>): RecurrentLayer<readonly Value[]>;
export function simpleRNN(options: RecurrentOptions): RecurrentLayer<Value>;
export function simpleRNN(options: RecurrentOptions): RecurrentLayer {
  const { activation = "tanh" } = options;
  checkCell("simpleRNN", { activation });
  return recurrent(options, {
    where: "simpleRNN",
    kind: "SimpleRNN",
    gates: 1,
    states: 1,
    config: {},
    activations: [activation],
    biases: (units) => units,
    attributes: {},
    again: (changed) => simpleRNN({ ...options, ...changed }),
  });
}

interface Cell {
  readonly where: string;
  readonly kind: "LSTM" | "GRU" | "SimpleRNN";
  readonly gates: number;
  readonly states: 1 | 2;
  readonly config: Readonly<Record<string, unknown>>;
  readonly activations: readonly CellActivation[];
  /** How many biases there are. */
  readonly biases: (units: number) => number;
  readonly attributes: Readonly<Record<string, number>>;
  /** What the bias starts as, made of what the argument says. */
  readonly firstBias?: (initializer: Initializer) => Initializer;
  readonly again: RecurrentLayer["again"];
}

interface Weights {
  readonly kernel: Weight;
  readonly recurrentKernel: Weight;
  readonly bias: Weight;
}

function recurrent(options: RecurrentOptions, cell: Cell): RecurrentLayer {
  const { where, kind } = cell;
  const {
    units,
    activation = "tanh",
    useBias = true,
    dropout = 0,
    recurrentDropout = 0,
    returnSequences = false,
    returnState = false,
    goBackwards = false,
    zeroOutputForMask = false,
  } = options;
  checkSize(where, "units", units);
  checkNumber(where, "dropout", dropout, { from: 0, below: 1 });
  checkNumber(where, "recurrentDropout", recurrentDropout, { from: 0, below: 1 });
  const weights: Weights = {
    kernel: weight(where, "kernel", options, "glorotUniform"),
    recurrentKernel: weight(where, "recurrent", options, "orthogonal"),
    bias: weight(where, "bias", options, "zeros"),
  };
  const own = { units, activation, useBias, dropout, recurrentDropout, returnSequences, returnState, goBackwards, zeroOutputForMask };
  return {
    ...described(kind, options, { ...own, ...cell.config, ...weights.kernel.config, ...weights.recurrentKernel.config, ...weights.bias.config }),
    merges: true,
    again: cell.again,
    apply(context, x, ...initial) {
      const { emit, maskOf, setMask, fail } = context;
      const [steps, features] = [sizeOf(x, 1), sizeOf(x, 2)];
      if (x.shape.length !== 3 || steps === undefined || features === undefined) return fail("takes sequences [batch, steps, features]");
      checkStates(initial, { states: cell.states, units, fail });
      const tensors = parameters(context, { cell, weights, units, features, useBias });
      const mask = maskOf(x);
      const turn = (value: Value): Value => (goBackwards ? reversed(emit, value) : value);
      const drops = recurrentDropout > 0; // then the operator drops features too
      const dropped = dropout === 0 || drops ? x : emit.op("SpatialDropout", [x], { rate: dropout, axis: 2 });
      const compacted = mask && compact(emit, turn(dropped), turn(mask));
      const [sequence, ...states] = emit.ops(
        `${drops ? "Dropout" : ""}${kind === "SimpleRNN" ? "RNN" : kind}`,
        [compacted?.x ?? dropped, ...tensors, compacted?.lengths, ...initial.map((state) => emit.op("Unsqueeze", [state, emit.ints([1])]))],
        1 + cell.states,
        {
          hidden_size: units,
          layout: 1,
          activations: cell.activations.map((name) => name.charAt(0).toUpperCase() + name.slice(1)),
          // What was turned round with its mask runs forward.
          ...(goBackwards && !compacted && { direction: "reverse" }),
          ...cell.attributes,
          ...(drops && { dropout, recurrent_dropout: recurrentDropout }),
        },
      ) as [Value, Value]; // two or three were asked for
      const last = states.map((state) => emit.op("Squeeze", [state, emit.ints([1])])); // [batch, units]
      const sequences = (): Value => {
        const flat = emit.op("Squeeze", [sequence, emit.ints([2])]); // [batch, steps, units]
        return compacted ? compacted.restore(flat, { zeros: zeroOutputForMask }) : turn(flat); // in the order in which the steps were taken, as Keras returns them
      };
      const output = returnSequences ? sequences() : (last[0] as Value); // there is a state
      if (mask && returnSequences) setMask(output, mask);
      return returnState ? [output, ...last] : output;
    },
  };
}

/** W, R and B of the operator. */
function parameters(
  { emit, parameter }: LayerContext,
  { cell, weights, units, features, useBias }: { cell: Cell; weights: Weights; units: number; features: number; useBias: boolean },
): readonly (Value | undefined)[] {
  const rows = cell.gates * units;
  const w = parameter("kernel", [1, rows, features], { ...weights.kernel.options, fanIn: features, fanOut: rows, rows });
  const r = parameter("recurrent_kernel", [1, rows, units], { ...weights.recurrentKernel.options, fanIn: units, fanOut: rows, rows });
  if (!useBias) return [w, r, undefined];
  const count = cell.biases(units);
  const { initializer, ...held } = weights.bias.options;
  const bias = parameter("bias", [1, count], { ...held, initializer: cell.firstBias?.(initializer) ?? initializer });
  // The operator has a bias of the input and one of the state.
  const all = count === 2 * rows ? bias : emit.op("Concat", [bias, emit.constant(tensor("float32", [1, rows], new Float32Array(rows)))], { axis: 1 });
  return [w, r, all];
}

/** The bias with ones for the forget gate, the third of the four. */
function forgetting(initializer: Initializer): Initializer {
  return (context) => {
    const values = initialize(initializer, context);
    return values.fill(1, values.length / 2, (values.length * 3) / 4);
  };
}

function checkStates(initial: readonly Value[], { states, units, fail }: { states: number; units: number; fail: LayerContext["fail"] }): void {
  if (initial.length !== 0 && initial.length !== states) fail(`takes the sequence alone or with its ${states} first states, not ${initial.length}`);
  if (initial.some((state) => state.shape.length !== 2 || state.shape[1] !== units)) fail(`first states must be [batch, ${units}]`);
}

function checkCell(where: string, activations: Readonly<Record<string, CellActivation>>): void {
  for (const [name, value] of Object.entries(activations)) checkChoice(where, name, value, ["tanh", "sigmoid", "relu"]);
}
