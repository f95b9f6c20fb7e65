import { averagePoolGrad } from "./average-pool-grad.ts";
import { convInputGrad } from "./conv-input-grad.ts";
import { convWeightGrad } from "./conv-weight-grad.ts";
import type { Lowering } from "./lowering.ts";
import { maxPoolGrad } from "./max-pool-grad.ts";

/** Lowerings chosen by shape. Adding one is one file and one line here. */
const table: readonly Lowering[] = [averagePoolGrad, convInputGrad, convWeightGrad, maxPoolGrad];

/** By the operator that they lower. */
export const lowerings: ReadonlyMap<string, Lowering> = new Map(table.map((lowering) => [lowering.operator, lowering]));
