import { checkedWindow, operators, type OperatorUse, type Supports } from "../../core/index.ts";
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
    indices?.dtype !== "int64" || depth?.dtype !== "int64" || !["float32", "int64"].includes(values?.dtype ?? "") || indices.shape.length === 0,
  // Its shape inference does not follow output_shape, nor SAME where strides are larger than the kernel: core writes the pads out.
  ConvTranspose: (_, { attributes }) => attributes.has("output_shape") || attributes.string("auto_pad").startsWith("SAME"),
  MaxPool: isPlacedOtherwise,
  // Its indices come from a MaxPool node, with pads and dilations written out.
  MaxPoolGrad: (_, { attributes }) => {
    const [kernel, pads] = [attributes.ints("kernel_shape"), attributes.has("pads") ? attributes.ints("pads") : []];
    const isDilated = attributes.has("dilations") && attributes.ints("dilations").some((dilation) => dilation > 1);
    return isDilated && (attributes.int("ceil_mode") === 1 || pads.some((pad, i) => pad >= (kernel[i % kernel.length] ?? 1)));
  },
  AveragePool: isPlacedOtherwise,
  LpPool: isPlacedOtherwise,
  LRN: (_, { attributes, inputs: [x] }) => attributes.int("size") % 2 === 0 || x?.shape.length !== 4,
  // It refuses parts of nothing, where it has to find the sizes.
  Split: (_, { attributes, inputs: [x, sizes], outputs }) => {
    const size = Number(x?.shape.at(attributes.int("axis")));
    return sizes === undefined && Math.ceil(size / outputs) * (outputs - 1) >= size;
  },
  // It divides by a deviation of 0 where all elements are equal.
  MeanVarianceNormalization: always,
};

const standard: ReadonlySet<string> = new Set(["", "ai.onnx.ml"]);

/** Operators that go to ONNX Runtime as they are, or by a lowering of this backend's: every other standard one of opset 21, and those of the table. */
export const supportedOperators: ReadonlySet<string> = new Set([
  ...operators
    .filter(({ name, domain, opset }) => standard.has(domain) && opset === undefined && loweredByCore[name] !== always)
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

/**
 * Pools whose windows it places otherwise, or not at all: SAME pads without regard to dilations, pads that only dilations make smaller than the kernel,
 * and with ceil_mode a last window that would start in the padding, which its shape inference counts.
 */
function isPlacedOtherwise(_: string, { attributes, inputs: [x] }: OperatorUse): boolean {
  const kernel = attributes.ints("kernel_shape");
  const spatial = x?.shape.slice(2) ?? [];
  if (spatial.includes("batch")) return false;
  const { input, output, begin, end, strides, dilations } = checkedWindow(attributes, kernel, spatial);
  const isDilated = dilations.some((dilation) => dilation > 1);
  if (isDilated && attributes.string("auto_pad").startsWith("SAME")) return true;
  return kernel.some((size, i) => {
    if (Math.max(begin[i] ?? 0, end[i] ?? 0) >= size) return true;
    const [before = 0, after = 0, stride = 1, length = 0, dilation = 1] = [begin[i], end[i], strides[i], input[i], dilations[i]];
    const room = length + before + after - (size - 1) * dilation - 1;
    return attributes.int("ceil_mode") === 1 && Math.ceil(room / stride) === output[i];
  });
}

/** Its recurrent kernels want the time first and hidden_size. */
function isNotPlainRecurrence(_: string, { attributes }: OperatorUse): boolean {
  return attributes.int("layout") === 1 || !attributes.has("hidden_size");
}

function always(): boolean {
  return true;
}
