import type { ColumnProfile, TableProfile } from "../data/profile.ts";
import { EspalierError } from "../errors.ts";
import { suggestNames } from "../nearest.ts";
import type { FittedFeature, FittedFeatures } from "./features.ts";
import type { InferredFeatures } from "./infer.ts";

/** Whose features are looked for in a table. */
export interface FittedColumnsOptions {
  readonly features: FittedFeatures;
  /** Who reads them, for messages. */
  readonly name: string;
  readonly target: string;
  readonly ignore: readonly string[];
}

/**
 * Looks whether a table has what features need that were fitted on another one.
 *
 * @returns no specifications, as nothing is to be fitted, and the columns that nobody reads
 * @throws COLUMN_MISSING; COLUMN_TYPE for a column of another kind, or images of another shape; ARGUMENT_INVALID when the target or a column to ignore is read
 */
export function fittedColumns({ columns }: TableProfile, { features: { features }, name, target, ignore }: FittedColumnsOptions): InferredFeatures {
  for (const feature of features) {
    const { column } = feature;
    if (column === target)
      throw new EspalierError(
        "ARGUMENT_INVALID",
        `${name} reads the column "${column}", which is to be predicted; predict another one, or train anew`,
        { column },
      );
    if (ignore.includes(column))
      throw new EspalierError("ARGUMENT_INVALID", `${name} reads the column "${column}", which is to be ignored; leave it in, or train anew`, {
        column,
      });
    const found = Object.hasOwn(columns, column) ? columns[column] : undefined;
    if (found === undefined) {
      const hint = suggestNames(column, Object.keys(columns));
      throw new EspalierError("COLUMN_MISSING", `${name} reads the column "${column}", which the data does not have${hint}`, { column });
    }
    const problem = misfit(feature, found);
    if (problem !== undefined) throw new EspalierError("COLUMN_TYPE", `${name} reads ${problem}; bring the data to that, or train anew`, { column });
  }
  const read = new Set(features.map(({ column }) => column));
  const others = Object.keys(columns).filter((column) => column !== target && !read.has(column));
  const reasonOf = (column: string): string => (ignore.includes(column) ? "ignored as asked" : `${name} does not read it`);
  return { specs: [], leftOut: others.map((column) => ({ column, reason: reasonOf(column) })) };
}

/** What is read and what is there, when the one is not the other. Text that is all digits counts as text, a column without values as either. */
function misfit(feature: FittedFeature, found: ColumnProfile): string | undefined {
  const { kind, column } = feature;
  switch (kind) {
    case "image":
    case "series": {
      const shape = kind === "image" ? feature.shape : [feature.window];
      if (found.kind === "tensor" && found.shape.join() === shape.join()) return undefined;
      const there = found.kind === "tensor" ? `[${found.shape.join(", ")}]` : `${found.kind}s`;
      return `"${column}" as ${kind === "image" ? "images" : "windows"} of shape [${shape.join(", ")}], and the data has ${there}`;
    }
    case "number":
      return found.kind === "number" || found.count === 0 ? undefined : `"${column}" as numbers, and the data has ${found.kind}s`;
    case "category":
    case "date":
    case "text":
      return found.kind === "tensor" ? `"${column}" as text, and the data has tensors` : undefined;
    default:
      return feature satisfies never;
  }
}
