import type { TableBlock } from "../models/table-blocks.ts";
import type { FittedFeatures } from "./features.ts";
import { widthOf } from "./transform.ts";

/** Which columns of the input `features` belong together, in its order: for networks that treat each feature as one thing. */
export function featureBlocks({ features }: FittedFeatures): readonly TableBlock[] {
  return features.flatMap((feature) => {
    const width = widthOf(feature);
    if (width === 0) return []; // an input of its own
    return [{ kind: feature.kind === "category" ? "category" : "number", width }];
  });
}
