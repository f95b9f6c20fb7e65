import type { Tensors } from "../tensor.ts";

/** Sums from which mean losses over some batches follow, each batch by what it weighs. */
export interface LossSums {
  /** The batches' rows, or the sum of their rows' weights. */
  readonly weight: number;
  readonly loss: number;
  /** Of several losses, each by itself and without its factor. */
  readonly terms: Readonly<Record<string, number>>;
}

const termPrefix = "loss/";

/** The sums with one more batch. @param outputs of a training step or an evaluation */
export function addLossSums(sums: LossSums, outputs: Tensors, weight: number): LossSums {
  const terms = Object.entries(outputs).filter(([name]) => name.startsWith(termPrefix));
  const added = terms.map(([name, { data }]): [string, number] => {
    const term = name.slice(termPrefix.length);
    return [term, (sums.terms[term] ?? 0) + weight * Number(data[0])];
  });
  return {
    weight: sums.weight + weight,
    loss: sums.loss + weight * Number(outputs["loss"]?.data[0]),
    terms: Object.fromEntries(added),
  };
}

/** `loss`, and `loss/<name>` for each of several. */
export function meanLosses({ weight, loss, terms }: LossSums): Record<string, number> {
  const means = Object.entries(terms).map(([name, sum]) => [`${termPrefix}${name}`, sum / weight]);
  return { loss: loss / weight, ...Object.fromEntries(means) };
}
