import { findOperator } from "../../operators/index.ts";
import type { Value } from "../../operators/operator.ts";
import type { Adaptation, AdaptationContext, ImportedNode } from "./adaptation.ts";
import { inputAdaptations } from "./attributes-to-inputs.ts";
import { meaningAdaptations } from "./changed-meanings.ts";
import { legacyAdaptations } from "./legacy-operators.ts";
import { shapeAdaptations } from "./shape-operators.ts";

/** What is done to the nodes of an operator of ai.onnx; an operator may be in several families, and their order here is that of the work. */
const families: readonly Readonly<Record<string, readonly Adaptation[]>>[] = [
  inputAdaptations,
  legacyAdaptations,
  meaningAdaptations,
  shapeAdaptations,
];

/** Whether a node is one that can be written: an operator of graphs, or a form that is adapted to one. */
export function isReadable({ operator, domain }: Pick<ImportedNode, "operator" | "domain">): boolean {
  return findOperator(operator)?.domain === domain || (domain === "" && replaced.has(operator));
}

/** Operators that graphs do not need: the importer or an adaptation writes them with others. */
const replaced: ReadonlySet<string> = new Set(["CastLike", "Constant", "ConstantOfShape", "If", "Range", "Scatter", "Size", "Upsample"]);

/** The node in the form of opset 21, or what stands for its outputs. */
export function adapt(node: ImportedNode, context: AdaptationContext): ImportedNode | readonly Value[] {
  let current = node;
  for (const { before = Infinity, adapt: rule } of node.domain === ""
    ? families.flatMap((family) => (Object.hasOwn(family, node.operator) ? (family[node.operator] ?? []) : []))
    : []) {
    if (context.opset >= before) continue;
    const adapted = rule(current, context);
    if (!("operator" in adapted)) return adapted;
    current = adapted;
  }
  return current;
}
