import type { Dimension } from "../graph/graph.ts";
import { contract, diagonals, type Labelled } from "./einsum-contraction.ts";
import { isEllipsis, parseEinsum, type EinsumEquation } from "./einsum-equation.ts";
import type { InferContext, LowerContext, Operator } from "./operator.ts";
import { alike, floatTypes } from "./shapes.ts";

/**
 * Sums of products over named axes: the equation "bij,bjk->bik" is a batch of matrix products. Its gradient goes through its lowering.
 *
 * A letter has one size everywhere; the axes of an ellipsis broadcast.
 * @see https://onnx.ai/onnx/operators/onnx__Einsum.html
 */
export const einsum: Operator = {
  name: "Einsum",
  domain: "",
  inputs: [1, Infinity],
  outputs: [1, 1],
  attributes: { equation: { kind: "string", required: true } },
  infer(context) {
    const inputs = alike(context, [...context.inputs.keys()], floatTypes);
    const text = context.attributes.string("equation");
    const equation = parseEinsum(
      text,
      inputs.map(({ shape }) => shape.length),
    );
    if (typeof equation === "string") return context.fail(`equation "${text}": ${equation}`);
    const sizes = sizesOf(context, equation);
    return [{ dtype: context.input(0).dtype, shape: equation.output.map((label) => sizes.get(label) ?? 1) }];
  },
  // From left to right: the first two operands, their result and the third, and so on; an axis that nobody needs any more is summed at once.
  lower(context) {
    const { emit, inputs, input } = context;
    const { operands, output } = equationOf(context);
    const terms = operands.map((labels, i): Labelled => diagonals(emit, { value: input(i), labels }));
    const result = terms.reduce((a, b, i) => contract(emit, [a, b], new Set([...output, ...operands.slice(i + 1).flat()])));
    const { value, labels } = inputs.length > 1 ? result : contract(emit, [result], new Set(output));
    return [emit.op("Transpose", [value], { perm: output.map((label) => labels.indexOf(label)) })];
  },
};

function equationOf({ attributes, inputs, input }: LowerContext): EinsumEquation {
  const equation = parseEinsum(
    attributes.string("equation"),
    inputs.map((_, i) => input(i).shape.length),
  );
  return typeof equation === "string" ? { operands: [], output: [] } : equation; // the shape rule has refused those
}

/** The size of each label. @throws GRAPH_SHAPE when it has two */
function sizesOf(context: InferContext, { operands }: EinsumEquation): ReadonlyMap<string, Dimension> {
  const sizes = new Map<string, Dimension>();
  operands.forEach((labels, i) => {
    labels.forEach((label, axis) => {
      const size = context.input(i).shape[axis] ?? 1;
      const known = sizes.get(label) ?? size;
      const broadcasts = isEllipsis(label) && (known === 1 || size === 1);
      if (known !== size && !broadcasts) context.fail(`axis "${label}" is ${known} in one place and ${size} in input ${i}`);
      sizes.set(label, known === 1 ? size : known);
    });
  });
  return sizes;
}
