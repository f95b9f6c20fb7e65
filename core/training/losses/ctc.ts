import { EspalierError } from "../../errors.ts";
import { formatShape, type Dimension } from "../../graph/graph.ts";
import { asNumber } from "../../operators/gradients.ts";
import { formula } from "../../operators/formula.ts";
import type { Emitter, Value } from "../../operators/operator.ts";
import { tensor, type Tensor } from "../../tensor.ts";
import { createLoss, type LossOptions } from "./create-loss.ts";
import { checkArgument, checkLabels, wrongOutput } from "./labels.ts";
import type { Loss } from "./loss.ts";

/** Of label sequences whose places in time are unknown: speech, handwriting. */
export interface CtcOptions extends LossOptions {
  /** The longest label sequence: labels are int32 [batch, maxLabels], padded with -1. */
  readonly maxLabels: number;
  /** The class that stands for no label. Default 0. */
  readonly blank?: number;
}

/** The logarithm of what is impossible: finite, so that it adds up. */
const impossible = -1e30;

/**
 * -log of the probability of a row's labels, summed over all ways to spread them over the time steps with blanks between; averaged over the rows.
 *
 * Logits are [batch, time, classes]. The forward recursion is written out step by step in the logarithm, so gradients are those of the graph. A row whose labels
 * need more steps than there are counts 0, as with PyTorch's `zero_infinity`.
 *
 * @throws ARGUMENT_INVALID for counts out of range; GRAPH_SHAPE for an output of another rank, or of fewer steps than labels
 * @see A. Graves et al., Connectionist temporal classification (2006)
 */
export function ctc({ output = "logits", maxLabels, blank = 0, ...others }: CtcOptions): Loss {
  checkArgument("ctc", { maxLabels }, { fits: (value) => Number.isSafeInteger(value) && value >= 1, range: "a whole number from 1" });
  checkArgument("ctc", { blank }, { fits: (value) => Number.isSafeInteger(value) && value >= 0, range: "a whole number from 0" });
  return createLoss({
    others,
    name: "ctc",
    output,
    config: { maxLabels, blank },
    labels(value) {
      const [, time, classes] = sizesOf(value);
      if (time < maxLabels) {
        throw new EspalierError("GRAPH_SHAPE", `ctc: ${maxLabels} labels need as many time steps, but the output is ${formatShape(value.shape)}`, {
          shape: value.shape,
          maxLabels,
        });
      }
      checkArgument("ctc", { blank }, { fits: (index) => index < classes, range: `below the ${classes} classes` });
      return { dtype: "int32", shape: ["batch", maxLabels] };
    },
    losses: (emit, value, labels) => negativeLogLikelihood(emit, value, { labels, blank }),
    check: (labels, units, place) => checkSequences(labels, { units, place, blank }),
  });
}

function negativeLogLikelihood(emit: Emitter, logits: Value, { labels, blank }: { readonly labels: Value; readonly blank: number }): Value {
  const { add, greater, log, max, neg, sub, sum, exp, where } = formula(emit);
  const [, time] = sizesOf(logits);
  const count = Number(labels.shape[1]);
  const states = 2 * count + 1; // blank, label 1, blank, label 2, ..., blank
  const { classOf, skips } = statesOf(emit, labels, blank);
  const emissions = emissionsOf(emit, logits, classOf); // [batch, time, states]
  const at = (step: number): Value => emit.op("Squeeze", [sliced(emit, emissions, { axis: 1, start: step, end: step + 1 }), emit.ints([1])]);

  let alpha = add(at(0), emit.constant(tensor(logits.dtype, [states], start(states)))); // [batch, states]
  for (let step = 1; step < time; step++) {
    const stepped = logAdd(emit, alpha, delayed(emit, alpha, 1));
    const skipped = where(skips, delayed(emit, alpha, 2), impossible);
    alpha = max(add(logAdd(emit, stepped, skipped), at(step)), impossible);
  }
  // A row of n labels ends in its last blank, state 2n, or its last label, state 2n - 1.
  const isLabel = emit.op("GreaterOrEqual", [labels, emit.scalar(0, labels.dtype)]);
  const lengths = emit.op("ReduceSum", [asNumber(emit, isLabel, logits), emit.ints([1])], { keepdims: 1 }); // [batch, 1]
  const places = emit.constant(
    tensor(
      logits.dtype,
      [states],
      Array.from({ length: states }, (_, i) => i),
    ),
  );
  const fromEnd = sub(add(lengths, lengths), places); // [batch, states]
  const isEnd = emit.op("And", [emit.op("GreaterOrEqual", [fromEnd, emit.scalar(0, logits.dtype)]), emit.op("Not", [greater(fromEnd, 1)])]);
  const ends = where(isEnd, alpha, impossible);
  const largest = emit.op("ReduceMax", [ends, emit.ints([1])], { keepdims: 1 });
  const total = add(emit.op("Squeeze", [largest, emit.ints([1])]), log(sum(exp(sub(ends, largest)), [1])));
  return where(greater(total, impossible / 2), neg(total), 0);
}

/** Each state's class, int32 [batch, states], and whether it may follow the state before the last: between different labels. */
function statesOf(emit: Emitter, labels: Value, blank: number): { readonly classOf: Value; readonly skips: Value } {
  const { where } = formula(emit);
  const count = Number(labels.shape[1]);
  const isLabel = emit.op("GreaterOrEqual", [labels, emit.scalar(0, labels.dtype)]);
  const column = emit.op("Unsqueeze", [where(isLabel, labels, blank), emit.ints([2])]); // [batch, labels, 1]
  const blanks = where(emit.op("Equal", [column, column]), blank, column); // the same shape
  const pairs = emit.op("Reshape", [emit.op("Concat", [blanks, column], { axis: 2 }), emit.ints([-1, 2 * count])]);
  const last = emit.op("Squeeze", [sliced(emit, blanks, { axis: 1, start: 0, end: 1 }), emit.ints([2])]);
  const classOf = emit.op("Concat", [pairs, last], { axis: 1 });
  const before = emit.op("Pad", [
    sliced(emit, classOf, { axis: 1, start: 0, end: 2 * count - 1 }),
    emit.ints([0, 2, 0, 0]),
    emit.scalar(blank, "int32"),
  ]);
  const isOther = emit.op("Not", [emit.op("Equal", [classOf, before])]);
  const isBlank = emit.op("Equal", [classOf, emit.scalar(blank, "int32")]);
  return { classOf, skips: emit.op("And", [isOther, emit.op("Not", [isBlank])]) };
}

/** log softmax of each step at each state's class. */
function emissionsOf(emit: Emitter, logits: Value, classOf: Value): Value {
  const [, , classes] = sizesOf(logits);
  const logs = emit.op("LogSoftmax", [logits], { axis: -1 });
  const numbers = emit.constant(
    tensor(
      "int32",
      [classes, 1],
      Array.from({ length: classes }, (_, i) => i),
    ),
  );
  const oneHot = emit.op("Equal", [emit.op("Unsqueeze", [classOf, emit.ints([1])]), numbers]); // [batch, classes, states]
  return emit.op("MatMul", [logs, asNumber(emit, oneHot, logits)]);
}

/** log(e^a + e^b) without overflow: max + softplus(-|a - b|). */
function logAdd(emit: Emitter, a: Value, b: Value): Value {
  const { abs, add, max, neg, sub } = formula(emit);
  return add(max(a, b), emit.op("Softplus", [neg(abs(sub(a, b)))]));
}

/** [batch, states] moved to later states, impossible ones in front. */
function delayed(emit: Emitter, alpha: Value, by: number): Value {
  const kept = sliced(emit, alpha, { axis: 1, start: 0, end: Number(alpha.shape[1]) - by });
  return emit.op("Pad", [kept, emit.ints([0, by, 0, 0]), emit.scalar(impossible, alpha.dtype)]);
}

function sliced(emit: Emitter, value: Value, { axis, start, end }: { readonly axis: number; readonly start: number; readonly end: number }): Value {
  return emit.op("Slice", [value, emit.ints([start]), emit.ints([end]), emit.ints([axis])]);
}

/** The first step is in the first blank or the first label. */
function start(states: number): readonly number[] {
  return Array.from({ length: states }, (_, i) => (i < 2 ? 0 : impossible));
}

function sizesOf(output: Value): readonly [batch: Dimension, time: number, classes: number] {
  const [batch, time, classes] = output.shape;
  if (output.shape.length === 3 && batch !== undefined && typeof time === "number" && typeof classes === "number") return [batch, time, classes];
  throw wrongOutput(output, { loss: "ctc", wanted: "[batch, time, classes]" });
}

function checkSequences(labels: Tensor, { units, place, blank }: { readonly units: number; readonly place: string; readonly blank: number }): void {
  checkLabels(labels, place, {
    fits: (label) => label === -1 || (Number.isInteger(label) && label >= 0 && label < units && label !== blank),
    mend: () => `; labels are from 0 to ${units - 1} without the blank ${blank}, and -1 after a row's last`,
  });
  const values = labels.data as Int32Array; // the feed's dtype is checked by the run
  const width = labels.shape[1] ?? 1;
  for (let i = 0; i < values.length; i++) {
    if (i % width === 0 || values[i] === -1 || values[i - 1] !== -1) continue;
    const row = Math.floor(i / width);
    throw new EspalierError("TARGET_INVALID", `fit: row ${row} of ${place} has a label after -1; put the padding after a row's last label`, { row });
  }
}
