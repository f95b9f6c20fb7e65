import { EspalierError } from "../../errors.ts";
import type { Metric } from "./metric.ts";

/** Which of several outputs a metric reads. */
export interface OnOutputOptions {
  readonly output: string;
  /** The input with the labels. Default: that of the loss that reads this output. */
  readonly labels?: string;
  /** Default: `<output>/<the metric's name>`. */
  readonly name?: string;
}

/**
 * A metric of another output than the one that it reads by itself: for models with several.
 *
 * @throws ARGUMENT_INVALID for a metric that does not say which output it reads
 * @example metrics: [onOutput(accuracy(), { output: "species" }), onOutput(mae(), { output: "weight" })]
 */
export function onOutput(metric: Metric, { output, labels, name = `${output}/${metric.name}` }: OnOutputOptions): Metric {
  const own = metric.output;
  if (own === undefined) {
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `onOutput: the metric "${metric.name}" does not say which output it reads; write it for "${output}"`,
      {
        metric: metric.name,
      },
    );
  }
  return {
    name,
    output,
    ...(labels !== undefined && { labels }),
    start() {
      const sums = metric.start();
      return {
        add(outputs, truth, weights) {
          const read = outputs[output];
          sums.add(read === undefined ? outputs : { ...outputs, [own]: read }, truth, weights);
        },
        result: () => sums.result(),
      };
    },
  };
}
