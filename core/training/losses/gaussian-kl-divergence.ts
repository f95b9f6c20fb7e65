import { EspalierError } from "../../errors.ts";
import { formatShape } from "../../graph/graph.ts";
import { formula } from "../../operators/formula.ts";
import { createLoss, type LossOptions } from "./create-loss.ts";
import { lastSize } from "./labels.ts";
import type { Loss } from "./loss.ts";

/**
 * How far a normal distribution is from the standard one: (m^2 + e^v - 1 - v) / 2 summed over its dimensions, averaged over the rows.
 *
 * The output is the means m and then the logarithms v of the variances, [batch, 2 dimensions]. It needs no labels and looks at none: give it those of another loss.
 *
 * @throws GRAPH_SHAPE for an output of an odd size
 * @see D. P. Kingma, M. Welling, Auto-encoding variational Bayes (2014), appendix B
 * @example [{ loss: meanSquaredError({ output: "reconstruction" }), labels: "features" }, { loss: gaussianKlDivergence(), labels: "features", weight: 0.01 }]
 */
export function gaussianKlDivergence({ output = "latent", ...others }: LossOptions = {}): Loss {
  return createLoss({
    others,
    name: "gaussianKlDivergence",
    output,
    labels(value) {
      if (lastSize(value, "gaussianKlDivergence") % 2 === 1) {
        throw new EspalierError(
          "GRAPH_SHAPE",
          `gaussianKlDivergence: the output must be [batch, means and log variances], not ${formatShape(value.shape)}`,
          {
            shape: value.shape,
          },
        );
      }
      return { dtype: "float32", shape: ["batch"] };
    },
    losses(emit, value) {
      const { add, exp, mul, square, sub, sum } = formula(emit);
      const last = value.shape.length - 1;
      const [mean = value, logVariance = value] = emit.ops("Split", [value], 2, { axis: last, num_outputs: 2 });
      return mul(sum(sub(sub(add(square(mean), exp(logVariance)), 1), logVariance), [last]), 0.5);
    },
    check: () => undefined,
  });
}
