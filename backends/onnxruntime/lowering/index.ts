import { findOperator, readAttributes, type Node } from "../../../core/index.ts";
import { averagePoolGrad } from "./average-pool-grad.ts";
import { conv } from "./conv.ts";
import { convInputGrad } from "./conv-input-grad.ts";
import { convWeightGrad } from "./conv-weight-grad.ts";
import type { Lowering } from "./lowering.ts";
import { maxPoolGrad } from "./max-pool-grad.ts";
import { scatterNdReduction } from "./scatter-nd.ts";

/** Lowerings chosen by shape. Adding one is one file and one line here. */
const table: readonly Lowering[] = [averagePoolGrad, conv, convInputGrad, convWeightGrad, maxPoolGrad, scatterNdReduction];

const byOperator: ReadonlyMap<string, Lowering> = new Map(table.map((lowering) => [lowering.operator, lowering]));

/** Operators that this backend has a lowering for. */
export const loweredOperators: readonly string[] = [...byOperator.keys()];

/** How a node is lowered, or undefined when ONNX Runtime takes it as it is. */
export function findLowering(node: Node): Lowering | undefined {
  const lowering = byOperator.get(node.operator);
  const operator = findOperator(node.operator);
  if (lowering?.applies === undefined || operator === undefined) return lowering;
  return lowering.applies(readAttributes(operator, node.name, node.attributes)) ? lowering : undefined;
}
