import { EspalierError } from "../errors.ts";
import { formatShape, type Attribute, type ValueType } from "../graph/graph.ts";
import { dtypeCodes } from "./cast.ts";
import { reshape } from "./gradients.ts";
import type { Attributes, AttributeSpec, Emitter, InferContext, LowerContext, Operator, TrainingContext, Value } from "./operator.ts";
import { alike, floatTypes, staticSizes, typed } from "./shapes.ts";

// What LSTM, GRU and RNN share: directions, layouts, lengths of sequences, and the way a lowering is unrolled over time.

/** What differs between the recurrent operators. */
export interface RecurrentRule {
  readonly name: "LSTM" | "GRU" | "RNN";
  /** Rows of W and R are this many times hidden_size. */
  readonly gates: number;
  /** 1: Y_h. 2: Y_h and Y_c. */
  readonly states: 1 | 2;
  /** Names of one direction's activations when they are left out. */
  readonly activations: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
  /** Whether the recurrence's bias is added to the input's, which all time steps share. */
  readonly joinsBiases: (attributes: Attributes) => boolean;
  /** Refuses what the operator has and this definition has not. */
  readonly check?: (context: InferContext) => void;
  /** What a direction does in one time step, with the work that all steps share done before. */
  readonly cell: (direction: Direction) => Step;
}

/** From what a time step takes from the input, [batch, gates * hidden], and the states before it (undefined: zeros) to the states after it. */
export type Step = (projected: Value, states: readonly (Value | undefined)[]) => readonly Value[];

/** One direction of a recurrent operator. */
export interface Direction {
  readonly emit: Emitter;
  readonly attributes: Attributes;
  readonly size: number;
  /** H R^T over the rows of some gates, plus what is added; in training with dropout each gate has an H of its own. Prepared once for all steps. */
  readonly recurrence: (gates: { readonly from: number; readonly to: number }) => (h: Value, added: Value | undefined) => Value;
  /** [gates * hidden], where it is not joined to the input's. */
  readonly bias: Value | undefined;
  /** [3 * hidden]: what the gates see of the cell, an LSTM's only. */
  readonly peephole: Value | undefined;
  /** One of the direction's activations; `clip` bounds what goes into the first two. */
  readonly activate: (index: number, value: Value) => Value;
}

/** Activations that cells may have. ONNX names more; nothing that is trained today uses them. */
export const cellActivations: readonly string[] = ["Sigmoid", "Tanh", "Relu"];

/** Defines a recurrent operator. Its gradient goes through its lowering, which a training graph holds in its place. */
export function recurrent(rule: RecurrentRule): Operator {
  const lower = (context: LowerContext): readonly Value[] => {
    return (context.attributes.int("layout") === 1 ? rowsFirst : unrolled)(context, rule).slice(0, context.outputTypes.length);
  };
  return {
    name: rule.name,
    domain: "",
    inputs: [3, rule.states === 2 ? 8 : 6],
    outputs: [1, rule.states + 1],
    attributes: {
      direction: { kind: "string", default: "forward" },
      hidden_size: { kind: "int" },
      layout: { kind: "int", default: 0 },
      clip: { kind: "float" },
      activations: { kind: "strings" },
      activation_alpha: { kind: "floats" },
      activation_beta: { kind: "floats" },
      ...rule.attributes,
    },
    infer: (context) => infer(context, rule),
    lower,
    training: lower,
  };
}

/**
 * A recurrent operator that drops in training, each gate with masks of its own that all steps share: `dropout` of X's features, `recurrent_dropout` of H.
 *
 * ONNX's operator, in which it is written for prediction, has no place for it. Batch first, one direction.
 * @see Y. Gal, Z. Ghahramani, A theoretically grounded application of dropout in recurrent neural networks (2016)
 */
export function withDropout(rule: RecurrentRule): Operator {
  const plain = recurrent(rule);
  return {
    ...plain,
    name: `Dropout${rule.name}`,
    domain: "espalier",
    isDistinct: true,
    attributes: { ...plain.attributes, dropout: { kind: "float", default: 0 }, recurrent_dropout: { kind: "float", default: 0 } },
    infer(context) {
      const { attributes, fail } = context;
      for (const name of ["dropout", "recurrent_dropout"]) {
        if (!(attributes.float(name) >= 0 && attributes.float(name) < 1)) fail(`${name} must be from 0 to below 1, not ${attributes.float(name)}`);
      }
      if (attributes.int("layout") !== 1 || directionsOf(attributes).length !== 1) fail("only layout 1 (batch first) and one direction are there");
      return infer(context, rule);
    },
    lower: (context) => rowsFirst(context, rule).slice(0, context.outputTypes.length),
    training: (context) => rowsFirst(context, rule, (turned) => unrolled(turned, rule, masksOf(context, rule))).slice(0, context.outputTypes.length),
  };
}

/** What is kept of a gate's input and of its state, one over the share that is kept: [batch, size], or undefined where nothing is dropped. */
interface Masks {
  readonly input: readonly Value[] | undefined;
  readonly state: readonly Value[] | undefined;
}

function masksOf({ emit, input, attributes, random }: TrainingContext, { gates }: RecurrentRule): Masks {
  const { dtype, shape } = input(0);
  const draw = (rate: number, size: number): readonly Value[] | undefined => {
    if (rate === 0) return undefined;
    return Array.from({ length: gates }, () => {
      const mask = random({ distribution: "bernoulli", probability: 1 - rate }, "bool", [shape[0] ?? 1, size]);
      return emit.op("Mul", [emit.op("Cast", [mask], { to: dtypeCodes[dtype] }), emit.scalar(1 / (1 - rate), dtype)]);
    });
  };
  return {
    input: draw(attributes.float("dropout"), Number(shape[2])),
    state: draw(attributes.float("recurrent_dropout"), Number(input(2).shape[2])),
  };
}

/** How many directions there are, and which of them run from the end. @throws nothing: `infer` has checked the name */
export function directionsOf(attributes: Attributes): readonly ("forward" | "reverse")[] {
  const direction = attributes.string("direction");
  if (direction === "bidirectional") return ["forward", "reverse"];
  return [direction === "reverse" ? "reverse" : "forward"];
}

/** The names of one direction's activations. */
export function activationsOf(attributes: Attributes, { activations }: Pick<RecurrentRule, "activations">, direction: number): readonly string[] {
  const count = activations.length;
  return attributes.has("activations") ? attributes.strings("activations").slice(direction * count, (direction + 1) * count) : activations;
}

function infer(context: InferContext, rule: RecurrentRule): readonly ValueType[] {
  const { attributes, inputs, fail } = context;
  const floats = [...inputs.keys()].filter((index) => index !== 4 && inputs[index] !== undefined);
  alike(context, floats, floatTypes);
  if (!["forward", "reverse", "bidirectional"].includes(attributes.string("direction"))) {
    fail(`direction "${attributes.string("direction")}" is not forward, reverse or bidirectional`);
  }
  const isRowsFirst = attributes.int("layout") === 1;
  if (attributes.int("layout") !== 0 && !isRowsFirst) fail(`layout must be 0 (time first) or 1 (batch first), not ${attributes.int("layout")}`);
  const count = directionsOf(attributes).length;
  checkActivations(context, rule, count);
  if (attributes.has("clip") && !(attributes.float("clip") > 0)) fail(`clip must be above 0, not ${attributes.float("clip")}`);
  rule.check?.(context);

  const [x, r] = [context.input(0), context.input(2)];
  if (x.shape.length !== 3) fail(`X must be [time, batch, size] or with layout 1 [batch, time, size], not ${formatShape(x.shape)}`);
  const [batch = 1] = isRowsFirst ? x.shape : x.shape.slice(1);
  const [time = 1, width = 1] = staticSizes(context, [x.shape[isRowsFirst ? 1 : 0] ?? 1, x.shape[2] ?? 1], "the time or feature axis of X");
  if (time < 1) fail("X has no time step");
  const [size = 1] = staticSizes(context, r.shape.slice(2, 3), "the hidden axis of R");
  if (attributes.has("hidden_size") && attributes.int("hidden_size") !== size) {
    fail(`hidden_size is ${attributes.int("hidden_size")}, but R ${formatShape(r.shape)} has ${size}`);
  }
  const state = isRowsFirst ? [batch, count, size] : [count, batch, size];
  const expected: Readonly<Record<string, readonly (number | "batch")[]>> = {
    W: [count, rule.gates * size, width],
    R: [count, rule.gates * size, size],
    B: [count, 2 * rule.gates * size],
    sequence_lens: [batch],
    initial_h: state,
    initial_c: state,
    P: [count, 3 * size],
  };
  for (const [i, [name, shape]] of Object.entries(expected).entries()) {
    const given = inputs[i + 1]?.shape;
    if (given !== undefined && formatShape(given) !== formatShape(shape)) {
      fail(`${name} must be ${formatShape(shape)} for ${count} direction(s) of ${size} units, not ${formatShape(given)}`);
    }
  }
  if (inputs[4]) typed(context, 4, ["int32"]);
  const y = isRowsFirst ? [batch, time, count, size] : [time, count, batch, size];
  return [y, state, state].slice(0, context.outputCount).map((shape) => ({ dtype: x.dtype, shape }));
}

function checkActivations(context: InferContext, rule: RecurrentRule, directions: number): void {
  const { attributes, fail } = context;
  if (!attributes.has("activations")) return;
  const names = attributes.strings("activations");
  const count = rule.activations.length * directions;
  if (names.length !== count) fail(`activations [${names.join(", ")}] must name ${count}, ${rule.activations.length} for each direction`);
  const unknown = names.find((name) => !cellActivations.includes(name));
  if (unknown !== undefined) fail(`the activation "${unknown}" is not there; it has ${cellActivations.join(", ")}`);
}

/** With the batch as the first axis: the same with time first, between transpositions. */
function rowsFirst(
  context: LowerContext,
  rule: RecurrentRule,
  write: (turned: LowerContext) => readonly Value[] = ({ emit, inputs, outputTypes, attributes }) =>
    emit.ops(rule.name, inputs, outputTypes.length, { ...attributesOf(attributes, rule), hidden_size: Number(inputs[2]?.shape[2]) }),
): readonly Value[] {
  const { emit, inputs, input } = context;
  const swapped = (value: Value): Value => emit.op("Transpose", [value], { perm: [1, 0, 2] });
  const states = [5, 6].map((index) => (inputs[index] ? swapped(inputs[index]) : undefined));
  const given = [swapped(input(0)), ...inputs.slice(1, 5), ...states.slice(0, Math.max(0, inputs.length - 5)), ...inputs.slice(7)];
  const results = write({ ...context, inputs: given, input: (index) => given[index] ?? input(index) });
  return results.map((value, i) => (i === 0 ? emit.op("Transpose", [value], { perm: [2, 0, 1, 3] }) : swapped(value)));
}

/** The attributes that were given, to write the node again. */
function attributesOf(attributes: Attributes, rule: RecurrentRule): Readonly<Record<string, Attribute>> {
  return {
    direction: attributes.string("direction"),
    ...(attributes.has("clip") && { clip: attributes.float("clip") }),
    ...(attributes.has("activations") && { activations: attributes.strings("activations") }),
    ...Object.fromEntries(Object.keys(rule.attributes ?? {}).map((name) => [name, attributes.int(name)])),
  };
}

/** A graph of more time steps than this is longer than anything that trains by it, and takes minutes to compile. */
const mostSteps = 4096;

/** Every time step written out: one product of matrices takes all steps' inputs at once, then each step has one with R. */
function unrolled(context: LowerContext, rule: RecurrentRule, masks?: Masks): readonly Value[] {
  const { emit, attributes } = context;
  const time = Number(context.input(0).shape[0]);
  if (time > mostSteps) {
    throw new EspalierError("GRAPH_INVALID", `${rule.name}: ${time} time steps would be written out one by one; cut the sequences to ${mostSteps}`, {
      operator: rule.name,
      steps: time,
    });
  }
  const results = directionsOf(attributes).map((name, direction) => runDirection(context, rule, { direction, isReverse: name === "reverse", masks }));
  const joined = (values: readonly Value[], axis: number): Value => {
    const raised = values.map((value) => emit.op("Unsqueeze", [value, emit.ints([axis])]));
    return raised.length === 1 && raised[0] ? raised[0] : emit.op("Concat", raised, { axis });
  };
  const y = joined(
    results.map(({ outputs }) => joined(outputs, 0)), // [time, batch, hidden]
    1,
  );
  const last = Array.from({ length: rule.states }, (_, i) =>
    joined(
      results.flatMap(({ states }) => states.slice(i, i + 1)),
      0,
    ),
  );
  return [y, ...last];
}

interface DirectionResult {
  /** What each time step gave, [batch, hidden], in the order of X. */
  readonly outputs: readonly Value[];
  readonly states: readonly Value[];
}

function runDirection(
  context: LowerContext,
  rule: RecurrentRule,
  { direction, isReverse, masks }: { readonly direction: number; readonly isReverse: boolean; readonly masks: Masks | undefined },
): DirectionResult {
  const { emit, input, inputs, attributes } = context;
  const [x, time] = [input(0), Number(input(0).shape[0])];
  const ofDirection = (value: Value): Value => takeRow(emit, value, direction);
  const size = Number(input(2).shape[2]);
  const rows = rule.gates * size;
  const biases = inputs[3] && ofDirection(inputs[3]);
  const half = (value: Value, first: number): Value => emit.op("Slice", [value, emit.ints([first]), emit.ints([first + rows]), emit.ints([0])]);
  const [inputBias, bias] = biases ? [half(biases, 0), half(biases, rows)] : [];
  const isJoined = rule.joinsBiases(attributes);
  const names = activationsOf(attributes, rule, direction);
  const step = rule.cell({
    emit,
    attributes,
    size,
    recurrence: recurrences(emit, ofDirection(input(2)), { gates: rule.gates, kept: masks?.state }),
    bias: isJoined ? undefined : bias,
    peephole: inputs[7] && ofDirection(inputs[7]),
    // The third, an LSTM's of its cell, sees it unclipped: so ONNX Runtime does (found by trying).
    activate: (index, value) => emit.op(names[index] ?? "Tanh", [index === 2 ? value : clipped(emit, value, attributes)]),
  });
  const product = projection(emit, x, { w: ofDirection(input(1)), size, kept: masks?.input }); // [time, batch, rows]
  const added = inputBias && bias && isJoined ? emit.op("Add", [inputBias, bias]) : inputBias;
  const projected = added ? emit.op("Add", [product, added]) : product;
  const parts = time === 1 ? [projected] : emit.ops("Split", [projected], time, { axis: 0, num_outputs: time });

  const outputs = Array.from<Value>({ length: time });
  let states: readonly (Value | undefined)[] = [5, 6].slice(0, rule.states).map((index) => inputs[index] && ofDirection(inputs[index]));
  for (let i = 0; i < time; i += 1) {
    const t = isReverse ? time - 1 - i : i;
    const next = step(reshape(emit, parts[t] ?? projected, projected.shape.slice(1)), states);
    const isLive = inputs[4] && emit.op("Unsqueeze", [emit.op("Greater", [inputs[4], emit.scalar(t, "int32")]), emit.ints([1])]); // [batch, 1]
    const live = (value: Value, otherwise: Value | undefined): Value => {
      return isLive ? emit.op("Where", [isLive, value, otherwise ?? emit.scalar(0, value.dtype)]) : value;
    };
    const before = states;
    states = next.map((value, k) => live(value, before[k]));
    const [h] = next;
    if (h) outputs[t] = live(h, undefined);
  }
  return { outputs, states: states.filter((value) => value !== undefined) };
}

/** X W^T of all gates; where there are masks, each gate's of its own X. */
function projection(
  emit: Emitter,
  x: Value,
  { w, size, kept }: { readonly w: Value; readonly size: number; readonly kept: readonly Value[] | undefined },
): Value {
  const times = (value: Value, weights: Value): Value => emit.op("MatMul", [value, emit.op("Transpose", [weights], { perm: [1, 0] })]);
  if (kept === undefined) return times(x, w);
  const each = kept.map((mask, gate) => times(emit.op("Mul", [x, mask]), someRows(emit, w, { from: gate * size, to: (gate + 1) * size })));
  return each.length === 1 && each[0] ? each[0] : emit.op("Concat", each, { axis: -1 });
}

function recurrences(emit: Emitter, r: Value, { gates, kept }: { gates: number; kept: readonly Value[] | undefined }): Direction["recurrence"] {
  const size = Number(r.shape[1]);
  return ({ from, to }) => {
    if (kept === undefined) {
      const weights = to - from === gates ? r : someRows(emit, r, { from: from * size, to: to * size });
      return (h, added) => emit.op("Gemm", [h, weights, added], { transB: 1 });
    }
    const parts = kept
      .slice(from, to)
      .map((mask, i) => ({ mask, weights: someRows(emit, r, { from: (from + i) * size, to: (from + i + 1) * size }) }));
    return (h, added) => {
      const each = parts.map(({ mask, weights }) => emit.op("Gemm", [emit.op("Mul", [h, mask]), weights], { transB: 1 }));
      const joined = each.length === 1 && each[0] ? each[0] : emit.op("Concat", each, { axis: -1 });
      return added ? emit.op("Add", [joined, added]) : joined;
    };
  };
}

/** [n, ...] to [...] at one place of the first axis. */
function takeRow(emit: Emitter, value: Value, row: number): Value {
  const part = value.shape[0] === 1 ? value : emit.op("Slice", [value, emit.ints([row]), emit.ints([row + 1]), emit.ints([0])]);
  return emit.op("Squeeze", [part, emit.ints([0])]);
}

function clipped(emit: Emitter, value: Value, attributes: Attributes): Value {
  if (!attributes.has("clip")) return value;
  const bound = attributes.float("clip");
  return emit.op("Clip", [value, emit.scalar(-bound, value.dtype), emit.scalar(bound, value.dtype)]);
}

/** [batch, rows] in parts along the rows. */
export function rowParts(emit: Emitter, value: Value, sizes: readonly number[]): readonly Value[] {
  return emit.ops("Split", [value, emit.ints(sizes)], sizes.length, { axis: -1 });
}

/** Some rows of R [gates * hidden, hidden] or of a bias [gates * hidden]. */
export function someRows(emit: Emitter, value: Value, { from, to }: { readonly from: number; readonly to: number }): Value {
  return emit.op("Slice", [value, emit.ints([from]), emit.ints([to]), emit.ints([0])]);
}
