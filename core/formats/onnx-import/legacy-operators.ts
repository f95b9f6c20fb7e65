import { dtypeCodes } from "../../operators/cast.ts";
import type { Value } from "../../operators/operator.ts";
import { tensor, toNumbers } from "../../tensor.ts";
import type { Adaptation, AdaptationContext, ImportedNode } from "./adaptation.ts";
import { floatsOf, intOf, requiredInput, stringOf, withInput, withoutAttributes } from "./attribute-access.ts";

/** Before opset 7, the second operand was laid along given axes of the first instead of its last ones. */
const alignedOperand: Adaptation = {
  adapt(node, context) {
    if (node.attributes["broadcast"] === undefined) return node;
    const a = requiredInput(node, 0, context);
    const b = requiredInput(node, 1, context);
    const axis = intOf(node, "axis", a.shape.length - b.shape.length);
    const behind = a.shape.length - (axis < 0 ? axis + a.shape.length : axis) - b.shape.length;
    const places = Array.from({ length: behind }, (_, i) => b.shape.length + i);
    const aligned = behind > 0 && b.shape.length > 0 ? context.emit.op("Unsqueeze", [b, context.emit.ints(places)]) : b;
    return withoutAttributes(withInput(node, 1, aligned), "broadcast", "axis");
  },
};

/** Operators of older opsets, and attributes that they no longer have. */
export const legacyAdaptations: Readonly<Record<string, readonly Adaptation[]>> = {
  Add: [alignedOperand],
  Sub: [alignedOperand],
  Mul: [alignedOperand],
  Div: [alignedOperand],
  Pow: [
    alignedOperand,
    {
      // The exponent may have a type of its own.
      adapt(node, context) {
        const [x, y] = [requiredInput(node, 0, context), requiredInput(node, 1, context)];
        return x.dtype === y.dtype ? node : withInput(node, 1, context.emit.op("Cast", [y], { to: dtypeCodes[x.dtype] }));
      },
    },
  ],
  Equal: [alignedOperand],
  Less: [alignedOperand],
  Greater: [alignedOperand],
  And: [alignedOperand],
  Or: [alignedOperand],
  Xor: [alignedOperand],
  Gemm: [{ adapt: (node) => withoutAttributes(node, "broadcast") }],
  Upsample: [
    {
      adapt(node, context) {
        const scales = floatsOf(node, "scales");
        return resizeFromTheCorner(node, scales ?? constantScales(node, context), context);
      },
    },
  ],
  Resize: [
    { before: 11, adapt: (node, context) => resizeFromTheCorner(node, constantScales(node, context), context) },
    {
      // Inputs that are not meant are empty tensors in older files.
      adapt: (node) => ({ ...node, inputs: node.inputs.map((input, i) => (i > 0 && input?.shape[0] === 0 ? undefined : input)) }),
    },
  ],
  Scatter: [{ adapt: (node) => ({ ...node, operator: "ScatterElements" }) }],
  Cast: [{ adapt: (node) => withoutAttributes(node, "saturate", "round_mode") }], // for 8-bit floats, which are not there
  CastLike: [
    {
      adapt(node, context) {
        const { dtype } = requiredInput(node, 1, context);
        return [context.emit.op("Cast", [requiredInput(node, 0, context)], { to: dtypeCodes[dtype] })];
      },
    },
  ],
  MaxPool: [
    {
      adapt(node, { refuse }) {
        if (node.outputs > 1) refuse("its second output, Indices, is used, which is not read; the largest elements alone are");
        return withoutAttributes(node, "storage_order");
      },
    },
  ],
};

/**
 * Resize as it was before opset 11: places are counted from the corner, and the nearest neighbour is the one before in axes that grow and the one
 * after in axes that shrink, as ONNX Runtime has it; the specification left it open.
 */
function resizeFromTheCorner(node: ImportedNode, scales: readonly number[], context: AdaptationContext): ImportedNode | readonly Value[] {
  const given = stringOf(node, "mode", "nearest");
  const mode = given === "bilinear" ? "linear" : given;
  const x = requiredInput(node, 0, context);
  const resized = (value: Value, factors: readonly number[], nearest: string): Value => {
    const attributes = { mode, coordinate_transformation_mode: "asymmetric", nearest_mode: nearest };
    return context.emit.op("Resize", [value, undefined, context.emit.constant(tensor("float32", [factors.length], factors))], attributes);
  };
  if (mode !== "nearest" || scales.every((scale) => scale >= 1)) return [resized(x, scales, "floor")];
  const smaller = resized(
    x,
    scales.map((scale) => Math.min(scale, 1)),
    "ceil",
  );
  return [
    resized(
      smaller,
      scales.map((scale) => Math.max(scale, 1)),
      "floor",
    ),
  ];
}

function constantScales(node: ImportedNode, { constant, refuse }: AdaptationContext): readonly number[] {
  const scales = constant(node.inputs[1]);
  return scales === undefined ? refuse("its scales are computed from the inputs, which is not read") : toNumbers(scales);
}
