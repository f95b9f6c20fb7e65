import { checkChoice } from "../../nearest.ts";
import { averagePrecision, rankedGroups } from "../../evaluation/ranked-groups.ts";
import { checkWhole } from "./arguments.ts";
import { numbers, rowWeight, type Metric } from "./metric.ts";

/** What ranking metrics read: scores [batch, items]; labels are how relevant each item is [batch, items], or the one relevant item's number [batch]. */
export interface RankingOptions {
  /** Default "logits". */
  readonly output?: string;
}

/** With a cut. */
export interface RankingAtOptions extends RankingOptions {
  /** How many of the best items are looked at; default 10. */
  readonly k?: number;
}

// Rows without any relevant item are left out. Items of equal score keep their order.

/** The mean share of relevant items among the first k. @throws ARGUMENT_INVALID */
export function precisionAtK({ k = 10, ...options }: RankingAtOptions = {}): Metric {
  checkWhole("precisionAtK", { k });
  return perRow(`precision@${k}`, options, ({ ranked }) => found(ranked, k) / k);
}

/** The mean share of the relevant items that are among the first k. @throws ARGUMENT_INVALID */
export function recallAtK({ k = 10, ...options }: RankingAtOptions = {}): Metric {
  checkWhole("recallAtK", { k });
  return perRow(`recall@${k}`, options, ({ ranked }) => found(ranked, k) / found(ranked, ranked.length));
}

/** How many rows have a relevant item among the first k. @throws ARGUMENT_INVALID */
export function hitRateAtK({ k = 10, ...options }: RankingAtOptions = {}): Metric {
  checkWhole("hitRateAtK", { k });
  return perRow(`hitRate@${k}`, options, ({ ranked }) => Number(found(ranked, k) > 0));
}

/** The mean of one over the place of the first relevant item. @see E. M. Voorhees, The TREC-8 question answering track report (1999) */
export function meanReciprocalRank(options: RankingOptions = {}): Metric {
  return perRow("mrr", options, ({ ranked }) => 1 / (1 + ranked.findIndex((relevance) => relevance > 0)));
}

/** The mean of the rows' average precisions. */
export function meanAveragePrecision(options: RankingOptions = {}): Metric {
  return perRow("map", options, ({ scores, relevances }) => {
    return averagePrecision(rankedGroups({ scores, isPositive: (item) => (relevances[item] as number) > 0 })) ?? 0;
  });
}

/**
 * Relevance discounted by the logarithm of the place, over the best possible; by default of all items.
 *
 * @throws ARGUMENT_INVALID
 * @see K. Järvelin, J. Kekäläinen, Cumulated gain-based evaluation of IR techniques (2002)
 */
export function ndcgAtK({
  k,
  gain = "linear",
  ...options
}: RankingAtOptions & { /** A relevance r is worth r or 2^r - 1. */ readonly gain?: "linear" | "exponential" } = {}): Metric {
  if (k !== undefined) checkWhole("ndcgAtK", { k });
  checkChoice("ndcgAtK", "gain", gain, ["linear", "exponential"]);
  const discounted = (relevances: readonly number[]): number =>
    relevances.slice(0, k).reduce((sum, relevance, i) => sum + (gain === "linear" ? relevance : 2 ** relevance - 1) / Math.log2(i + 2), 0);
  return perRow(k === undefined ? "ndcg" : `ndcg@${k}`, options, ({ ranked }) => discounted(ranked) / discounted(ranked.toSorted((a, b) => b - a)));
}

interface RankedRow {
  readonly scores: readonly number[];
  readonly relevances: readonly number[];
  /** The relevances, the best score's first. */
  readonly ranked: readonly number[];
}

function found(ranked: readonly number[], k: number): number {
  return ranked.slice(0, k).filter((relevance) => relevance > 0).length;
}

function perRow(name: string, { output = "logits" }: RankingOptions, value: (row: RankedRow) => number): Metric {
  return {
    name,
    output,
    start() {
      let sum = 0;
      let total = 0;
      return {
        add(outputs, labels, weights) {
          const data = numbers(outputs[output]);
          const truth = numbers(labels);
          const rows = labels.shape[0] ?? 0;
          const items = data.length / rows;
          for (let row = 0; row < rows; row++) {
            const scores = Array.from(data.subarray(row * items, (row + 1) * items), Number);
            const relevances =
              truth.length === data.length
                ? Array.from(truth.subarray(row * items, (row + 1) * items), Number)
                : scores.map((_, item) => Number(item === Number(truth[row])));
            if (!relevances.some((relevance) => relevance > 0)) continue;
            const order = scores.map((_, item) => item).toSorted((a, b) => (scores[b] as number) - (scores[a] as number)); // items of the row
            const weight = rowWeight(weights, row);
            sum += weight * value({ scores, relevances, ranked: order.map((item) => relevances[item] as number) });
            total += weight;
          }
        },
        result: () => sum / total,
      };
    },
  };
}
