import type { Dimension } from "../graph/graph.ts";
import type { OperatorUse } from "../graph/lower.ts";
import { findOperator } from "../operators/index.ts";
import { sameShape } from "../operators/operator.ts";

/** Uses of ONNX's operators that graphs allow and other programs do not run; written in simpler operators. */
const others: Readonly<Record<string, (use: OperatorUse) => boolean>> = {
  // Programs that run inference know no normalisation by the batch's own statistics.
  BatchNormalization: ({ attributes }) => attributes.int("training_mode") === 1,
  // Shape inference follows neither output_shape nor SAME where strides are larger than the kernel: the pads are written out.
  ConvTranspose: ({ attributes }) => attributes.has("output_shape") || attributes.string("auto_pad").startsWith("SAME"),
  // A scalar has no axis to put its own beside, and a last part of nothing is none.
  OneHot: ({ inputs: [indices] }) => indices?.shape.length === 0,
  Split: ({ attributes, inputs: [x, sizes], outputs }) => {
    const size = Number(x?.shape.at(attributes.int("axis")));
    return sizes === undefined && Math.ceil(size / outputs) * (outputs - 1) >= size;
  },
  // Its dots stand for the same axes in every operand; ours are broadcast.
  Einsum: ({ attributes, inputs }) => !haveSameDots(attributes.string("equation"), inputs),
};

/** Whether a file of this opset holds the operator, used in this way, as it is. */
export function isOnnxForm(name: string, use: OperatorUse, opset: number): boolean {
  const operator = findOperator(name);
  if (operator === undefined || operator.domain === "espalier" || (operator.opset ?? 21) > opset) return false;
  return others[name]?.(use) !== true;
}

function haveSameDots(equation: string, inputs: OperatorUse["inputs"]): boolean {
  const [left = ""] = equation.replaceAll(" ", "").split("->");
  const dots = left.split(",").flatMap((term, i): (readonly Dimension[])[] => {
    const start = term.indexOf("...");
    const shape = inputs[i]?.shape ?? [];
    return start < 0 ? [] : [shape.slice(start, shape.length - (term.length - start - 3))];
  });
  return dots.every((axes) => sameShape(axes, dots[0] ?? []));
}
