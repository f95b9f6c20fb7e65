import { EspalierError } from "../errors.ts";
import { dense, Network, type Layer } from "../layers/index.ts";
import { named, type LayerName } from "../layers/layer.ts";
import type { Value } from "../operators/operator.ts";
import type { Model } from "./model.ts";

/** What a retrieval model is made of. */
export interface TwoTowerOptions {
  /** The width of the input `query`. */
  readonly query: number;
  /** The width of the input `candidate`. */
  readonly candidate: number;
  /** Numbers of an embedding. */
  readonly width?: number;
  /** Units of each tower's layers before the last. */
  readonly hidden?: readonly number[];
  /** Divides the scores; smaller is sharper. Default 0.05. */
  readonly temperature?: number;
  readonly seed?: number;
}

/**
 * Two towers for retrieval: `query` [batch, query] and `candidate` [batch, candidate] become embeddings of length 1.
 *
 * Outputs: `query_embedding` and `candidate_embedding` [batch, width], and `logits` [batch, batch]: each query's score with each candidate of the batch. Row i's own
 * candidate is i; the others are its negatives. Train it with `inBatchSoftmax`, and search the nearest candidates by the embeddings.
 *
 * @throws ARGUMENT_INVALID
 * @see X. Yi et al., Sampling-bias-corrected neural modeling for large corpus item recommendations (2019)
 */
export function twoTower({ query, candidate, width = 32, hidden = [64], temperature = 0.05, seed = 0 }: TwoTowerOptions): Model {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new EspalierError("ARGUMENT_INVALID", `twoTower: temperature must be a number above 0, not ${temperature}`, { temperature });
  }
  const network = new Network("two-tower", { seed });
  const tower = (name: string, size: number): Value => {
    let x = network.input(name, [size]);
    for (const [i, units] of hidden.entries()) {
      x = network.apply(dense({ units, activation: "relu", kernelInitializer: "heNormal", name: `${name}${i + 1}` }), x);
    }
    const embedded = network.apply(unitLength({ name: `${name}_unit` }), network.apply(dense({ units: width, name: `${name}_last` }), x));
    network.output(`${name}_embedding`, embedded);
    return embedded;
  };
  const scores = network.apply(allPairs({ temperature, name: "scores" }), tower("query", query), tower("candidate", candidate));
  network.output("logits", scores);
  return network.build({ name: "two-tower", query, candidate, width, hidden, temperature, seed });
}

/** Each row divided by its Euclidean length: [batch, width]. */
function unitLength(common: LayerName): Layer {
  return {
    kind: "UnitLength",
    ...named(common),
    config: {},
    apply({ emit }, x) {
      const squares = emit.op("ReduceSum", [emit.op("Mul", [x, x]), emit.ints([1])], { keepdims: 1 });
      return emit.op("Div", [x, emit.op("Sqrt", [emit.op("Max", [squares, emit.scalar(1e-12, x.dtype)])])]);
    },
  };
}

/** Products of every row with every row: two of [batch, width] -> [batch, batch]. */
function allPairs({ temperature, ...common }: { readonly temperature: number } & LayerName): Layer {
  return {
    kind: "AllPairs",
    ...named(common),
    config: { temperature },
    merges: true,
    apply({ emit, fail }, a, b) {
      if (b === undefined) return fail("takes two inputs");
      return emit.op("Gemm", [a, b], { transB: 1, alpha: 1 / temperature });
    },
  };
}
