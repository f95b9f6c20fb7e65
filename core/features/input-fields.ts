import type { Columns } from "../columns.ts";
import type { InputField } from "../bundle/manifest.ts";
import type { TableProfile } from "../data/profile.ts";
import { rowObject, selectColumns, valueAt } from "../data/rows.ts";
import type { FittedFeature, FittedFeatures } from "./features.ts";

/**
 * The raw columns that a prediction needs, as the bundle's manifest describes them.
 *
 * @param profile of the training rows: gives ranges, frequent categories, and whether rows may leave the column out
 */
export function inputFields(fitted: FittedFeatures, profile: TableProfile): InputField[] {
  return fitted.features.map((feature) => inputField(feature, profile));
}

/** The first row of a table that has a value in every feature column (else the first row), as a prediction request would send it. */
export function exampleRow(fitted: FittedFeatures, columns: Columns): Record<string, unknown> {
  const needed = selectColumns(
    columns,
    fitted.features.map((feature) => feature.column),
  );
  for (let row = 0; row < needed.length; row++) {
    if ([...needed.columns.values()].every((column) => valueAt(column, row) !== undefined)) return rowObject(needed, row);
  }
  return needed.length > 0 ? rowObject(needed, 0) : {};
}

function inputField(feature: FittedFeature, profile: TableProfile): InputField {
  const name = feature.column;
  const found = profile.columns[name];
  const optional = found !== undefined && found.missing > 0;
  switch (feature.kind) {
    case "image":
      return { name, kind: "tensor", shape: feature.shape, optional: false };
    case "category": {
      // In order of frequency, for forms: the profile knows it, the vocabulary is sorted by name.
      const frequent = found?.kind === "string" ? found.top.map(({ value }) => value).filter((value) => feature.vocabulary.includes(value)) : [];
      const rest = feature.vocabulary.filter((value) => !frequent.includes(value));
      return { name, kind: "string", shape: [], optional, categories: [...frequent, ...rest] };
    }
    case "series":
      return { name, kind: "tensor", shape: [feature.window], optional: false };
    case "date":
    case "text":
      return { name, kind: "string", shape: [], optional };
    case "number":
      return found?.kind === "number" && found.count > 0
        ? { name, kind: "number", shape: [], optional, range: [found.min, found.max] }
        : { name, kind: "number", shape: [], optional };
    default:
      return feature satisfies never;
  }
}
