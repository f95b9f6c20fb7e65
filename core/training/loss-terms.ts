import { EspalierError } from "../errors.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import type { Value } from "../operators/operator.ts";
import type { Loss } from "./losses/index.ts";

/** One of several losses: which labels it reads and how much it counts. */
export interface LossTerm {
  readonly loss: Loss;
  /** The model's output that it reads. Default: the loss's own. */
  readonly output?: string;
  /** The graph's input with its labels. Default: `labels/<output>`. */
  readonly labels?: string;
  /** Default 1. */
  readonly weight?: number;
}

/** What is minimised: one loss whose labels are the input `labels`, or a weighted sum of several. */
export type Losses = Loss | readonly LossTerm[];

/** A loss with everything that was left out. */
export interface NamedTerm extends Required<Omit<LossTerm, "output">> {
  /** What its part of the loss is called: the output that it reads, with the loss's name where two read one output. */
  readonly name: string;
}

/**
 * Every loss with its labels' input, its weight and its name.
 *
 * @throws ARGUMENT_INVALID for an empty list, for a weight that is no finite number, and for two equal terms
 */
export function lossTerms(losses: Losses): readonly NamedTerm[] {
  if ("build" in losses) return [{ loss: losses, labels: "labels", weight: 1, name: losses.output }];
  if (losses.length === 0) throw new EspalierError("ARGUMENT_INVALID", "the list of losses is empty; give at least one", {});
  const placed = losses.map(({ loss, output = loss.output, ...term }) => ({ ...term, loss: { ...loss, output } }));
  const shared = (output: string): boolean => placed.filter(({ loss }) => loss.output === output).length > 1;
  const terms = placed.map(({ loss, labels = `labels/${loss.output}`, weight = 1 }) => {
    if (!Number.isFinite(weight)) {
      throw new EspalierError("ARGUMENT_INVALID", `the weight of ${loss.name} on "${loss.output}" must be a number, not ${weight}`, { weight });
    }
    return { loss, labels, weight, name: shared(loss.output) ? `${loss.output}/${loss.name}` : loss.output };
  });
  const twice = terms.find(({ name }, i) => terms.findIndex((other) => other.name === name) < i);
  if (twice !== undefined) {
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `${twice.loss.name} is there twice for the output "${twice.loss.output}"; give it once with their weights' sum`,
      {
        output: twice.loss.output,
      },
    );
  }
  return terms;
}

/** What the losses of a graph are made of. */
export interface AddLossesOptions {
  readonly loss: Losses;
  /** Whether there is an input `weights`, one for each row. */
  readonly sampleWeights?: boolean;
  /** The model's name, for errors. */
  readonly graphName: string;
}

/**
 * Adds losses and the inputs with their labels; of several each is an output `loss/<name>`.
 *
 * @param outputs the model's, as values of the builder
 * @returns the weighted sum, float32 []
 * @throws GRAPH_INVALID when the model lacks the output that a loss reads
 */
export function addLosses(
  builder: GraphBuilder,
  outputs: Readonly<Record<string, Value>>,
  { loss: losses, sampleWeights = false, graphName }: AddLossesOptions,
): Value {
  const terms = lossTerms(losses);
  const weights = sampleWeights ? builder.input("weights", "float32", ["batch"]) : undefined;
  const values = terms.map(({ loss, labels }) => {
    const output = outputs[loss.output];
    if (output === undefined) {
      const names = Object.keys(outputs).join(", ");
      throw new EspalierError("GRAPH_INVALID", `${loss.name} reads the output "${loss.output}", but "${graphName}" has ${names}`, {
        loss: loss.name,
      });
    }
    const { dtype, shape } = loss.labels(output);
    const target = builder.has(labels) ? builder.value(labels) : builder.input(labels, dtype, shape);
    return builder.scope("loss", () => loss.build(builder, output, target, weights));
  });
  if (terms.length > 1) values.forEach((value, i) => builder.output(`loss/${terms[i]?.name}`, value));
  return values
    .map((value, i) => {
      const weight = terms[i]?.weight ?? 1;
      return weight === 1 ? value : builder.op("Mul", [value, builder.scalar(weight, "float32")]);
    })
    .reduce((sum, value) => builder.op("Add", [sum, value]));
}
