import { checkChoice } from "../../nearest.ts";
import { asNumber } from "../../operators/gradients.ts";
import { formula } from "../../operators/formula.ts";
import type { Emitter, Value } from "../../operators/operator.ts";
import { createLoss, type CountedLosses, type LossOptions } from "./create-loss.ts";
import { diagonal, sameLabels } from "./in-batch-softmax.ts";
import { checkArgument, checkLabels, lastSize, wrongOutput } from "./labels.ts";
import type { Loss } from "./loss.ts";

/** Of embeddings whose labels say which belong together. */
export interface TripletOptions extends LossOptions {
  /** How much nearer a row's own kind is to be; default 1. */
  readonly margin?: number;
  /**
   * "semiHard" (default): for every pair of one label, the nearest row of another label that is farther away than the pair, or the farthest if there is none. It takes
   * memory for batch^3 numbers. "hard": for every row its farthest own and its nearest other.
   */
  readonly mining?: "semiHard" | "hard";
}

/**
 * max(margin + d(own) - d(other), 0) by squared Euclidean distances, averaged over the triplets that are found in a batch.
 *
 * Embeddings are [batch, width], best of length 1; labels are int32 [batch]. A batch without two rows of one label and one of another has a loss of 0.
 *
 * @throws ARGUMENT_INVALID for a margin out of range
 * @see F. Schroff, D. Kalenichenko, J. Philbin, FaceNet: a unified embedding for face recognition and clustering (2015)
 * @see A. Hermans, L. Beyer, B. Leibe, In defense of the triplet loss for person re-identification (2017), for "hard"
 */
export function triplet({ output = "embedding", margin = 1, mining = "semiHard", ...others }: TripletOptions = {}): Loss {
  checkArgument("triplet", { margin }, { fits: (value) => value > 0, range: "a number above 0" });
  checkChoice("triplet", "mining", mining, ["semiHard", "hard"]);
  return createLoss({
    others,
    name: "triplet",
    output,
    config: { margin, mining },
    labels(value) {
      lastSize(value, "triplet");
      if (value.shape.length !== 2) throw wrongOutput(value, { loss: "triplet", wanted: "[batch, width]" });
      return { dtype: "int32", shape: ["batch"] };
    },
    losses(emit, embeddings, labels) {
      const distances = squaredDistances(emit, embeddings);
      const same = sameLabels(emit, labels);
      const own = emit.op("And", [same, emit.op("Not", [diagonal(emit, distances)])]);
      const pairs = { distances, own, other: emit.op("Not", [same]), margin };
      return mining === "hard" ? hardest(emit, pairs) : semiHard(emit, pairs);
    },
    check: (labels, _units, place) =>
      checkLabels(labels, place, { fits: Number.isSafeInteger, mend: () => "; labels are whole numbers, one for each kind" }),
  });
}

interface Pairs {
  /** [batch, batch]. */
  readonly distances: Value;
  /** Pairs of different rows with one label, and pairs of two labels: bool [batch, batch]. */
  readonly own: Value;
  readonly other: Value;
  readonly margin: number;
}

/** Farther than anything. */
const far = 1e30;

function hardest(emit: Emitter, { distances, own, other, margin }: Pairs): CountedLosses {
  const { add, max, mul, sub, where } = formula(emit);
  const farthestOwn = reduced(emit, "ReduceMax", where(own, distances, 0), 1);
  const nearestOther = reduced(emit, "ReduceMin", where(other, distances, far), 1);
  const counts = mul(any(emit, own, distances), any(emit, other, distances)); // [batch]
  return { losses: mul(max(add(sub(farthestOwn, nearestOther), margin), 0), counts), counts };
}

function semiHard(emit: Emitter, { distances, own, other, margin }: Pairs): CountedLosses {
  const { add, greater, max, mul, sub, where } = formula(emit);
  const axis = (value: Value, at: number): Value => emit.op("Unsqueeze", [value, emit.ints([at])]);
  const ofOthers = axis(distances, 1); // [batch, 1, batch]: of each row, each other row
  const isFarther = emit.op("And", [axis(other, 1), greater(ofOthers, axis(distances, 2))]); // [batch, batch, batch]: row, own, other
  const nearestFarther = reduced(emit, "ReduceMin", where(isFarther, ofOthers, far), 2); // [batch, batch]
  const farthest = axis(reduced(emit, "ReduceMax", where(other, distances, 0), 1), 1); // [batch, 1]
  const negative = where(greater(any(emit, isFarther, distances), 0), nearestFarther, farthest);
  const counts = mul(asNumber(emit, own, distances), axis(any(emit, other, distances), 1)); // [batch, batch]
  return { losses: mul(max(add(sub(distances, negative), margin), 0), counts), counts };
}

/** |a|^2 + |b|^2 - 2 a b for every pair of rows, not below 0. */
function squaredDistances(emit: Emitter, embeddings: Value): Value {
  const { add, max, mul, square, sub, sum } = formula(emit);
  const lengths = sum(square(embeddings), [1]);
  const products = emit.op("MatMul", [embeddings, emit.op("Transpose", [embeddings], { perm: [1, 0] })]);
  const both = add(emit.op("Unsqueeze", [lengths, emit.ints([1])]), emit.op("Unsqueeze", [lengths, emit.ints([0])]));
  return max(sub(both, mul(products, 2)), 0);
}

/** Whether anything is true along the last axis: 0 or 1. */
function any(emit: Emitter, condition: Value, like: Value): Value {
  return reduced(emit, "ReduceMax", asNumber(emit, condition, like), condition.shape.length - 1);
}

function reduced(emit: Emitter, operator: "ReduceMax" | "ReduceMin", value: Value, axis: number): Value {
  return emit.op(operator, [value, emit.ints([axis])], { keepdims: 0 });
}
