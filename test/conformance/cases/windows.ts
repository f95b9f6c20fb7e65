import { f32, weight, type OperatorSpec } from "../operator-spec.ts";

/** Convolutions. The lists name what a fast path is likely to treat specially. */
export const convSpecs: readonly OperatorSpec[] = [
  conv("1x1", { x: [3, 4, 5], w: [6, 3, 1, 1] }),
  conv("3x3 with a bias", { x: [2, 7, 6], w: [4, 2, 3, 3], bias: true }),
  conv("3x3 padded", { x: [2, 5, 7], w: [3, 2, 3, 3], attributes: { pads: [1, 1, 1, 1] } }),
  conv("asymmetric pads", { x: [2, 5, 6], w: [3, 2, 3, 2], attributes: { pads: [1, 0, 2, 1] } }),
  conv("stride 2", { x: [3, 9, 7], w: [4, 3, 3, 3], attributes: { strides: [2, 2], pads: [1, 1, 1, 1] } }),
  conv("stride 2 that leaves a rest", { x: [1, 8, 8], w: [2, 1, 3, 3], attributes: { strides: [2, 2] } }),
  conv("strides 2 and 3", { x: [2, 9, 11], w: [3, 2, 3, 2], attributes: { strides: [2, 3], pads: [0, 1, 1, 0] } }),
  conv("stride larger than the kernel", { x: [1, 7, 7], w: [2, 1, 1, 1], attributes: { strides: [3, 3] } }),
  conv("dilated", { x: [2, 9, 8], w: [3, 2, 3, 3], attributes: { dilations: [2, 2] } }),
  conv("dilations 2 and 3, padded, strided", {
    x: [2, 11, 10],
    w: [2, 2, 3, 2],
    attributes: { dilations: [2, 3], pads: [2, 1, 2, 1], strides: [2, 1] },
  }),
  conv("2 groups", { x: [4, 6, 5], w: [6, 2, 3, 3], attributes: { group: 2, pads: [1, 1, 1, 1] } }),
  conv("depthwise", { x: [3, 6, 6], w: [3, 1, 3, 3], bias: true, attributes: { group: 3, pads: [1, 1, 1, 1] } }),
  conv("depthwise, 2 filters a channel, strided", { x: [3, 7, 7], w: [6, 1, 3, 3], attributes: { group: 3, strides: [2, 2] } }),
  conv("5x5 over 12x12", { x: [1, 12, 12], w: [6, 1, 5, 5], bias: true, attributes: { pads: [2, 2, 2, 2] } }),
  conv("a kernel as large as the image", { x: [2, 4, 3], w: [5, 2, 4, 3] }),
  conv("SAME_UPPER", { x: [2, 6, 5], w: [3, 2, 2, 3], attributes: { auto_pad: "SAME_UPPER", strides: [2, 2] } }),
  conv("SAME_LOWER", { x: [2, 6, 5], w: [3, 2, 2, 4], attributes: { auto_pad: "SAME_LOWER" } }),
  conv("one axis", { x: [3, 9], w: [4, 3, 3], bias: true, attributes: { pads: [1, 1] } }),
  conv("one axis, strided, dilated, grouped", { x: [4, 13], w: [4, 2, 3], attributes: { strides: [2], dilations: [2], group: 2, pads: [2, 1] } }),
  conv("three axes", { x: [2, 4, 3, 5], w: [3, 2, 2, 3, 2], bias: true }),
  conv("three axes, strided, dilated, grouped, unevenly padded", {
    x: [4, 5, 4, 6],
    w: [6, 2, 2, 1, 3],
    attributes: { group: 2, strides: [2, 1, 2], dilations: [1, 2, 1], pads: [1, 0, 2, 0, 1, 1] },
  }),
  conv("three axes, depthwise, 1x1x1", { x: [3, 2, 3, 2], w: [3, 1, 1, 1, 1], bias: true, attributes: { group: 3 } }),
  conv("33 channels to 17", { x: [33, 5, 5], w: [17, 33, 3, 3], attributes: { pads: [1, 1, 1, 1] }, tolerance: 5e-5 }),
  transposed("2x2, stride 2", { x: [3, 4, 3], w: [3, 2, 2, 2], attributes: { strides: [2, 2] } }),
  transposed("3x3 with a bias", { x: [2, 4, 5], w: [2, 3, 3, 3], bias: 3 }),
  transposed("output padding and pads", {
    x: [2, 4, 4],
    w: [2, 3, 3, 3],
    attributes: { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] },
  }),
  transposed("2 groups, dilated", { x: [4, 4, 4], w: [4, 3, 2, 2], bias: 6, attributes: { group: 2, dilations: [2, 2] } }),
  transposed("three axes", {
    x: [2, 2, 3, 2],
    w: [2, 3, 2, 3, 2],
    bias: 3,
    attributes: { strides: [2, 1, 2], pads: [0, 1, 1, 0, 1, 0], output_padding: [1, 0, 0] },
  }),
  transposed("an output shape beyond what the kernel reaches", {
    x: [1, 3, 3],
    w: [1, 2, 3, 3],
    bias: 2,
    attributes: { strides: [3, 2], output_shape: [10, 8] },
  }),
  transposed("an output shape that pads", { x: [2, 5, 5], w: [2, 1, 3, 1], attributes: { auto_pad: "SAME_UPPER", output_shape: [5, 4], group: 2 } }),
  transposed("one axis", { x: [2, 5], w: [2, 3, 4], attributes: { strides: [3], pads: [1, 0] } }),
];

/** Pools. */
export const poolSpecs: readonly OperatorSpec[] = [
  pool("MaxPool", "2x2, stride 2", { x: [2, 6, 4], attributes: { kernel_shape: [2, 2], strides: [2, 2] } }),
  pool("MaxPool", "2x2, stride 2, odd sizes", { x: [3, 7, 5], attributes: { kernel_shape: [2, 2], strides: [2, 2] } }),
  pool("MaxPool", "3x3, stride 2, padded: windows overlap", {
    x: [2, 8, 7],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  }),
  pool("MaxPool", "3x3, stride 1", { x: [1, 5, 6], attributes: { kernel_shape: [3, 3] } }),
  pool("MaxPool", "asymmetric pads", { x: [2, 6, 5], attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [0, 1, 2, 0] } }),
  pool("MaxPool", "side by side, padded at the end", { x: [2, 5, 7], attributes: { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 1, 1] } }),
  pool("MaxPool", "side by side, padded at both ends", { x: [2, 4, 6], attributes: { kernel_shape: [2, 2], strides: [2, 2], pads: [1, 1, 1, 1] } }),
  pool("MaxPool", "ceil_mode", { x: [2, 6, 7], attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 } }),
  pool("MaxPool", "ceil_mode with pads", { x: [1, 5, 5], attributes: { kernel_shape: [2, 2], strides: [3, 3], pads: [1, 1, 1, 1], ceil_mode: 1 } }),
  pool("MaxPool", "dilated", { x: [2, 7, 8], attributes: { kernel_shape: [2, 3], dilations: [2, 2] } }),
  pool("MaxPool", "SAME_UPPER, dilated", { x: [2, 3, 5], attributes: { kernel_shape: [2, 2], dilations: [1, 2], auto_pad: "SAME_UPPER" } }),
  pool("MaxPool", "ceil_mode, the last window would start in the padding", {
    x: [1, 2, 1],
    attributes: { kernel_shape: [2, 2], strides: [2, 3], pads: [0, 1, 0, 1], ceil_mode: 1 },
  }),
  pool("MaxPool", "an end pad that no window reaches", { x: [2, 4, 2], attributes: { kernel_shape: [1, 2], strides: [3, 3], pads: [0, 1, 0, 1] } }),
  pool("MaxPool", "an axis of size 1 behind pads of 2", { x: [2, 1, 3], attributes: { kernel_shape: [3, 1], pads: [2, 0, 0, 0] } }),
  pool("AveragePool", "an axis of size 1 between pads of 2", { x: [2, 1, 3], attributes: { kernel_shape: [3, 2], pads: [2, 0, 2, 1] } }),
  pool("MaxPool", "pads as wide as the kernel, dilated", {
    x: [1, 6, 5],
    attributes: { kernel_shape: [2, 2], dilations: [3, 3], pads: [2, 3, 3, 2] },
  }),
  pool("MaxPool", "dilated, padded, ceil_mode", {
    x: [1, 5, 4],
    attributes: { kernel_shape: [3, 2], strides: [2, 3], dilations: [2, 1], pads: [2, 1, 2, 1], ceil_mode: 1 },
  }),
  pool("MaxPool", "one axis", { x: [3, 9], attributes: { kernel_shape: [3], strides: [2] } }),
  pool("MaxPool", "negative numbers with pads", {
    x: [1, 4, 4],
    draw: { uniform: [-2, -1] },
    attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
  }),
  pool("MaxPool", "ties: the first takes the gradient", {
    x: [2, 6, 6],
    draw: "ties",
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  }),
  pool("MaxPool", "three axes, padded", {
    x: [2, 4, 5, 3],
    attributes: { kernel_shape: [2, 3, 2], strides: [2, 2, 1], pads: [0, 1, 1, 0, 1, 0] },
  }),
  pool("AveragePool", "2x2, stride 2", { x: [2, 6, 4], attributes: { kernel_shape: [2, 2], strides: [2, 2] } }),
  pool("AveragePool", "3x3, stride 2, padded", { x: [2, 7, 8], attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] } }),
  pool("AveragePool", "padding counts", {
    x: [2, 7, 8],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 },
  }),
  pool("AveragePool", "asymmetric pads", { x: [2, 6, 5], attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [0, 1, 2, 0] } }),
  pool("AveragePool", "ceil_mode", { x: [2, 6, 7], attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 } }),
  pool("AveragePool", "ceil_mode, padding counts", {
    x: [1, 6, 5],
    attributes: { kernel_shape: [2, 2], strides: [2, 2], pads: [1, 0, 0, 1], ceil_mode: 1, count_include_pad: 1 },
  }),
  pool("AveragePool", "ceil_mode, the last window would start in the padding", {
    x: [2, 3, 3],
    attributes: { kernel_shape: [2, 3], strides: [3, 1], pads: [1, 2, 1, 2], ceil_mode: 1, count_include_pad: 1 },
  }),
  pool("AveragePool", "SAME_LOWER, dilated, strided", {
    x: [2, 3, 4],
    attributes: { kernel_shape: [3, 2], strides: [3, 2], dilations: [2, 1], auto_pad: "SAME_LOWER" },
  }),
  pool("AveragePool", "one axis", { x: [3, 9], attributes: { kernel_shape: [3], strides: [2] } }),
  pool("AveragePool", "three axes, padded", {
    x: [2, 4, 5, 3],
    attributes: { kernel_shape: [2, 3, 2], strides: [2, 2, 1], pads: [0, 1, 1, 0, 1, 0] },
  }),
  pool("AveragePool", "dilated", { x: [1, 7, 7], attributes: { kernel_shape: [2, 2], dilations: [2, 3] } }),
  { operator: "GlobalAveragePool", about: "[batch, 3, 5, 7]", inputs: [f32(["batch", 3, 5, 7])] },
  { operator: "GlobalAveragePool", about: "one axis", inputs: [f32(["batch", 3, 9])] },
  { operator: "GlobalAveragePool", about: "1x1", inputs: [f32(["batch", 4, 1, 1])] },
  { operator: "GlobalAveragePool", about: "three axes", inputs: [f32(["batch", 2, 3, 2, 4])] },
  { operator: "GlobalMaxPool", about: "two axes", inputs: [f32(["batch", 3, 5, 7], "distinct")] },
  { operator: "GlobalMaxPool", about: "three axes", inputs: [f32(["batch", 2, 3, 2, 4], "distinct")] },
  { operator: "GlobalLpPool", about: "two axes", inputs: [f32(["batch", 3, 4, 5], "distinct")] },
  { operator: "GlobalLpPool", about: "one axis, p 3", inputs: [f32(["batch", 2, 7], "distinct")], attributes: { p: 3 } },
  pool("LpPool", "3x2, stride 2, padded", { x: [2, 7, 6], attributes: { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 1, 1, 0] } }),
  pool("LpPool", "one axis, p 3, ceil_mode", { x: [3, 8], attributes: { kernel_shape: [3], strides: [2], p: 3, ceil_mode: 1 } }),
  pool("LpPool", "SAME_LOWER, dilated", {
    x: [2, 6, 3],
    attributes: { kernel_shape: [2, 3], strides: [2, 1], dilations: [1, 2], auto_pad: "SAME_LOWER" },
  }),
  pool("LpPool", "p 1, three axes", { x: [1, 3, 4, 3], attributes: { kernel_shape: [2, 2, 3], p: 1 } }),
  pool("LpPool", "zeros: their gradient is 0", { x: [1, 4, 4], draw: "zeros", attributes: { kernel_shape: [2, 2], strides: [2, 2] } }),
];

interface ConvShapes {
  /** Without the batch. */
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly bias?: boolean;
  readonly attributes?: NonNullable<OperatorSpec["attributes"]>;
  readonly tolerance?: number;
}

function conv(about: string, { x, w, bias = false, attributes = {}, tolerance }: ConvShapes): OperatorSpec {
  const inputs = [f32(["batch", ...x]), weight(w), ...(bias ? [weight(w.slice(0, 1))] : [])];
  return { operator: "Conv", about, inputs, attributes, ...(tolerance !== undefined && { tolerance }) };
}

function transposed(about: string, { x, w, bias, attributes = {} }: Omit<ConvShapes, "bias"> & { readonly bias?: number }): OperatorSpec {
  const inputs = [f32(["batch", ...x]), weight(w), ...(bias === undefined ? [] : [weight([bias])])];
  return { operator: "ConvTranspose", about, inputs, attributes };
}

interface PoolShapes {
  readonly x: readonly number[];
  readonly attributes: NonNullable<OperatorSpec["attributes"]>;
  readonly draw?: "ties" | "zeros" | { readonly uniform: readonly [number, number] };
}

function pool(operator: string, about: string, { x, attributes, draw }: PoolShapes): OperatorSpec {
  const standard = operator === "AveragePool" ? "normal" : "distinct";
  return { operator, about, inputs: [f32(["batch", ...x], draw === "zeros" ? { values: [0] } : (draw ?? standard))], attributes };
}
