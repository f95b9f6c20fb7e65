import { dtypeCodes } from "../../operators/cast.ts";
import { formula } from "../../operators/formula.ts";
import type { Emitter, Value } from "../../operators/operator.ts";
import { createLoss, type LossOptions } from "./create-loss.ts";
import { checkLabels, wrongOutput } from "./labels.ts";
import type { Loss } from "./loss.ts";

/**
 * For retrieval: each row's own candidate against those of the other rows, -log softmax of its score, averaged.
 *
 * Scores are [batch, batch]: row i's score with candidate j, its own is candidate i. Labels are int32 [batch], which item each row's candidate is: the same item in
 * another row is no wrong answer, and left out of the row's sum.
 *
 * @throws GRAPH_SHAPE for an output that is not [batch, batch]
 * @see X. Yi et al., Sampling-bias-corrected neural modeling for large corpus item recommendations (2019)
 */
export function inBatchSoftmax({ output = "logits", ...others }: LossOptions = {}): Loss {
  return createLoss({
    others,
    name: "inBatchSoftmax",
    output,
    labels(value) {
      if (value.shape.length !== 2 || value.shape.some((size) => size !== "batch"))
        throw wrongOutput(value, { loss: "inBatchSoftmax", wanted: "[batch, batch]" });
      return { dtype: "int32", shape: ["batch"] };
    },
    losses(emit, scores, labels) {
      const { neg, sum, where } = formula(emit);
      const own = diagonal(emit, scores);
      const isOther = emit.op("Or", [own, emit.op("Not", [sameLabels(emit, labels)])]);
      const logs = emit.op("LogSoftmax", [where(isOther, scores, -1e9)], { axis: -1 });
      return neg(sum(where(own, logs, 0), [1]));
    },
    check: (labels, _units, place) => checkLabels(labels, place, { fits: Number.isSafeInteger, mend: () => "; labels are the numbers of items" }),
  });
}

/** Which pairs of rows have the same label: bool [batch, batch]. @param labels [batch] */
export function sameLabels(emit: Emitter, labels: Value): Value {
  return emit.op("Equal", [emit.op("Unsqueeze", [labels, emit.ints([1])]), emit.op("Unsqueeze", [labels, emit.ints([0])])]);
}

/** Which pairs are of a row with itself: bool, in the shape of a square matrix. */
export function diagonal(emit: Emitter, like: Value): Value {
  return emit.op("Cast", [emit.op("EyeLike", [like])], { to: dtypeCodes.bool });
}
