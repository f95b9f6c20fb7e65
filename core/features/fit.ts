import type { Columns } from "../columns.ts";
import { EspalierError } from "../errors.ts";
import { suggestNames } from "../nearest.ts";
import { fitDate } from "./date.ts";
import { fitText } from "./byte-pair/index.ts";
import type { FeatureSpec, FittedFeature, FittedFeatures } from "./features.ts";
import { standardDeviation } from "./number-statistics.ts";
import { type CategoryStatistics, type FeatureStatistics, featureStatistics, mergeFeatureStatistics } from "./statistics.ts";

/** Categories that a feature keeps unless its specification says otherwise; the rarer ones share the place for unknown values. */
export const defaultMaxVocabulary = 100;

/**
 * Learns what the features need from training rows, in one pass.
 *
 * @param chunks the training rows: pieces of a table, or a table as a whole
 * @throws DATA_EMPTY without rows; COLUMN_MISSING, COLUMN_TYPE when a specification does not fit the table, or numbers are so far apart that they have no finite deviation
 */
export async function fitFeatures(specs: readonly FeatureSpec[], chunks: AsyncIterable<Columns> | Iterable<Columns>): Promise<FittedFeatures> {
  let statistics: FeatureStatistics = new Map();
  let rows = 0;
  for await (const columns of chunks) {
    checkSpecs(specs, columns);
    statistics = mergeFeatureStatistics(statistics, featureStatistics(specs, columns));
    rows += columns.length;
  }
  if (rows === 0) throw new EspalierError("DATA_EMPTY", "fitFeatures: there are no rows to learn from");
  return finishFeatures(specs, statistics);
}

/** Fitted features from the statistics of all rows: the end of a pass that was split over several readers. */
export function finishFeatures(specs: readonly FeatureSpec[], statistics: FeatureStatistics): FittedFeatures {
  return { features: specs.map((spec) => finishFeature(spec, statistics)) };
}

function finishFeature(spec: FeatureSpec, statistics: FeatureStatistics): FittedFeature {
  if (spec.kind === "image") return spec;
  const found = statistics.get(spec.column);
  const { column } = spec;
  if (spec.kind === "number" && found?.kind === "number") {
    const deviation = standardDeviation(found);
    if (!Number.isFinite(deviation)) {
      throw new EspalierError(
        "COLUMN_TYPE",
        `column "${column}" holds numbers from ${found.min} to ${found.max}, too far apart to be standardised; correct or empty them, or leave the column out`,
        { column },
      );
    }
    // Deviations below the rounding of the mean are noise of a constant: dividing by them would blow it up.
    const usable = deviation > Math.abs(found.mean) * 1e-12 ? deviation : 1;
    return { kind: "number", column, mean: found.mean, standardDeviation: usable, missing: found.missing > 0 };
  }
  if (spec.kind === "category" && found?.kind === "category") {
    return { kind: "category", column, vocabulary: vocabularyOf(found, spec.maxVocabulary ?? defaultMaxVocabulary) };
  }
  if (spec.kind === "date" && found?.kind === "date") return fitDate(column, found);
  if (spec.kind === "text" && found?.kind === "text") return { kind: "text", column, ...fitText(found.words, spec) };
  throw new EspalierError("COLUMN_MISSING", `fitFeatures: no statistics for column "${column}"`, { column });
}

/**
 * The most frequent values, in the order of their code units.
 *
 * Values seen once in a vocabulary of more than ten are left to "unknown": one row teaches nothing about its value, but together they teach the
 * model what to do with a value that it has never seen.
 */
function vocabularyOf({ counts }: CategoryStatistics, limit: number): string[] {
  const least = counts.size > 10 ? 2 : 1;
  const frequent = [...counts].filter(([, count]) => count >= least);
  frequent.sort(([a, countA], [b, countB]) => countB - countA || compareCodeUnits(a, b));
  return frequent
    .slice(0, limit)
    .map(([value]) => value)
    .toSorted(compareCodeUnits);
}

/** An order of strings that is the same in every language and engine. */
export function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const columnKinds = { number: "number", category: "string", date: "string", text: "string", image: "tensor" } as const;

function checkSpecs(specs: readonly FeatureSpec[], columns: Columns): void {
  for (const spec of specs) {
    const column = columns.columns.get(spec.column);
    if (column === undefined) {
      throw new EspalierError("COLUMN_MISSING", `no column "${spec.column}"${suggestNames(spec.column, columns.columns.keys())}`, {
        column: spec.column,
      });
    }
    const wanted = columnKinds[spec.kind];
    // Digits only, in a file of few rows, come as numbers.
    if (column.kind !== wanted && !(wanted === "string" && column.kind === "number")) {
      throw new EspalierError("COLUMN_TYPE", `a ${spec.kind} feature takes a ${wanted} column, but "${spec.column}" holds ${column.kind}s`, {
        column: spec.column,
      });
    }
  }
}
