import { dtypeCodes } from "../../operators/cast.ts";
import { tensor } from "../../tensor.ts";
import type { Adaptation, ImportedNode } from "./adaptation.ts";
import { floatsOf, intOf, requiredInput, stringOf, withInput, withoutAttributes } from "./attribute-access.ts";

/** Before opset 11, sizes grew from the corner, and nearest neighbours were cut down. */
const fromTheCorner = {
  coordinate_transformation_mode: { kind: "string", value: "asymmetric" },
  nearest_mode: { kind: "string", value: "floor" },
} as const;

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
        const given = scales === undefined ? requiredInput(node, 1, context) : context.emit.constant(tensor("float32", [scales.length], scales));
        return resizeFromTheCorner(node, [requiredInput(node, 0, context), undefined, given]);
      },
    },
  ],
  Resize: [
    { before: 11, adapt: (node) => resizeFromTheCorner(node, [node.inputs[0], undefined, node.inputs[1]]) },
    {
      // Inputs that are not meant are empty tensors in older files.
      adapt: (node) => ({ ...node, inputs: node.inputs.map((input, i) => (i > 0 && input?.shape[0] === 0 ? undefined : input)) }),
    },
  ],
  Scatter: [{ adapt: (node) => ({ ...node, operator: "ScatterElements" }) }],
  Cast: [{ adapt: (node) => withoutAttributes(node, "saturate", "round_mode") }], // for 8-bit floats, which are not there
  MaxPool: [
    {
      adapt(node, { refuse }) {
        if (intOf(node, "storage_order", 0) !== 0 && node.outputs > 1) refuse("indices in column-major order (storage_order = 1) are not read");
        return withoutAttributes(node, "storage_order");
      },
    },
  ],
};

function resizeFromTheCorner(node: ImportedNode, inputs: ImportedNode["inputs"]): ImportedNode {
  const mode = stringOf(node, "mode", "nearest");
  return {
    ...node,
    operator: "Resize",
    inputs,
    attributes: { mode: { kind: "string", value: mode === "bilinear" ? "linear" : mode }, ...fromTheCorner },
  };
}
