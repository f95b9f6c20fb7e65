import { operators, type OperatorUse, type Supports } from "../../core/index.ts";
import { loweredInFloat64 } from "./kernel-gaps.ts";
import { planKernel } from "./kernels/index.ts";
import { loweredOperators } from "./lowering/index.ts";

/** Standard operators that core writes in simpler ones, and for which uses: ONNX Runtime 1.30 has no kernel for them outside its training build. */
const loweredByCore: Readonly<Record<string, Supports>> = {
  SoftmaxCrossEntropyLoss: always,
  NegativeLogLikelihoodLoss: always,
  LSTM: isNotPlainRecurrence,
  GRU: isNotPlainRecurrence,
  RNN: isNotPlainRecurrence,
  BatchNormalization: (_, { attributes }) => attributes.int("training_mode") === 1,
  // Its shape inference refuses an ellipsis that broadcasts; and the products are shared with those of the gradient, which goes through the lowering.
  Einsum: always,
  OneHot: (_, { inputs: [indices, depth, values] }) =>
    indices?.dtype !== "int64" || depth?.dtype !== "int64" || !["float32", "int64"].includes(values?.dtype ?? ""),
  // Its float64 gradient compares with MaxPool's result, whose size ONNX Runtime infers wrongly for a last window that would start in the padding.
  MaxPool: (_, { attributes, inputs: [x] }) => x?.dtype === "float64" && attributes.int("ceil_mode") === 1,
  LRN: (_, { attributes }) => attributes.int("size") % 2 === 0,
};

const standard: readonly string[] = ["", "ai.onnx.ml"];

/** Operators that go to ONNX Runtime as they are, or by a lowering of this backend's: every other standard one of opset 21, and those of the table. */
export const supportedOperators: ReadonlySet<string> = new Set([
  ...operators
    .filter(({ name, domain, opset }) => standard.includes(domain) && opset === undefined && loweredByCore[name] !== always)
    .map(({ name }) => name),
  ...loweredOperators,
]);

/** Whether ONNX Runtime runs this use of an operator. */
export const supports: Supports = (operator, use) => {
  if (!supportedOperators.has(operator) || loweredByCore[operator]?.(operator, use) === true) return false;
  return !(loweredInFloat64.has(operator) && use.inputs.some((input) => input?.dtype === "float64"));
};

/** Whether ONNX Runtime or a kernel of our own runs this use of an operator. */
export const supportsWithKernels: Supports = (operator, use) => supports(operator, use) || hasKernel(operator, use);

function hasKernel(operator: string, { attributes, inputs, outputs }: OperatorUse): boolean {
  const types = inputs.map((type) => type && { dtype: type.dtype, shape: type.shape.map((size) => (size === "batch" ? 1 : size)) });
  // Only what core would lower is asked for here: of its own operators, whose outputs' types follow from the inputs.
  return (
    planKernel(operator, { attributes, inputs: types, outputs: Array.from({ length: outputs }, () => ({ dtype: "float32", shape: [] })) }) !==
    undefined
  );
}

/** Its recurrent kernels want the time first and hidden_size. */
function isNotPlainRecurrence(_: string, { attributes }: OperatorUse): boolean {
  return attributes.int("layout") === 1 || !attributes.has("hidden_size");
}

function always(): boolean {
  return true;
}
