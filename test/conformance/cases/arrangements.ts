import { constant, f32, ints, weight, type InputSpec, type OperatorSpec } from "../operator-spec.ts";

const whole = (value: number): InputSpec => constant(value, "int64");

/** Copies, pads, triangles, blocks and sequences of numbers. */
export const arrangementSpecs: readonly OperatorSpec[] = [
  { operator: "Tile", about: "two axes", inputs: [f32(["batch", 2, 3]), ints(1, 3, 2)] },
  { operator: "Tile", about: "once", inputs: [f32(["batch", 2]), ints(1, 1)] },
  { operator: "Tile", about: "a vector, int64", inputs: [{ dtype: "int64", shape: [3], draw: { integers: [-9, 9] } }, ints(4)] },
  { operator: "Tile", about: "not at all", inputs: [weight([2, 3]), ints(2, 0)] },
  ...(["reflect", "edge", "wrap"] as const).flatMap((mode): readonly OperatorSpec[] => [
    { operator: "Pad", about: `${mode}, image`, inputs: [f32(["batch", 2, 4, 5]), ints(0, 0, 1, 2, 0, 0, 3, 1)], attributes: { mode } },
    { operator: "Pad", about: `${mode}, one side, named axis`, inputs: [f32(["batch", 5, 2]), ints(0, 3), undefined, ints(1)], attributes: { mode } },
    { operator: "Pad", about: `${mode}, cut on one side`, inputs: [f32(["batch", 6]), ints(0, -2, 0, 2)], attributes: { mode } },
  ]),
  { operator: "Pad", about: "reflect, as far as it goes", inputs: [f32(["batch", 3]), ints(0, 2, 0, 2)], attributes: { mode: "reflect" } },
  { operator: "Pad", about: "edge, farther than the axis", inputs: [f32(["batch", 2]), ints(0, 5, 0, 3)], attributes: { mode: "edge" } },
  { operator: "Pad", about: "a constant that is state", inputs: [f32(["batch", 3]), ints(0, 1, 0, 2), weight([])] },
  { operator: "Pad", about: "an empty axis", inputs: [f32(["batch", 0]), ints(0, 1, 0, 2), constant(2)] },
  { operator: "EyeLike", about: "4 x 3", inputs: [f32([4, 3])], gradients: [] },
  { operator: "EyeLike", about: "the batch, k 1, int32", inputs: [f32(["batch", 5])], attributes: { k: 1, dtype: 6 }, gradients: [] },
  { operator: "EyeLike", about: "k -2", inputs: [f32([5, 4])], attributes: { k: -2 }, gradients: [] },
  { operator: "Trilu", about: "upper", inputs: [f32(["batch", 4, 5])] },
  { operator: "Trilu", about: "lower, k 1", inputs: [f32(["batch", 3, 3]), whole(1)], attributes: { upper: 0 } },
  { operator: "Trilu", about: "upper, k -1, fed", inputs: [f32(["batch", 4, 3]), { dtype: "int64", shape: [], draw: { values: [-1] } }] },
  { operator: "Trilu", about: "int64", inputs: [{ dtype: "int64", shape: ["batch", 3, 3], draw: { integers: [-9, 9] } }], attributes: { upper: 0 } },
  { operator: "DepthToSpace", about: "DCR", inputs: [f32(["batch", 8, 2, 3])], attributes: { blocksize: 2 } },
  { operator: "DepthToSpace", about: "CRD", inputs: [f32(["batch", 18, 2, 1])], attributes: { blocksize: 3, mode: "CRD" } },
  { operator: "SpaceToDepth", about: "2 x 2", inputs: [f32(["batch", 3, 4, 6])], attributes: { blocksize: 2 } },
  { operator: "Range", about: "int64", inputs: [whole(3), whole(-8), whole(-3)] },
  { operator: "Range", about: "float32", inputs: [constant(0.5), constant(3), constant(0.4)] },
  { operator: "Range", about: "empty", inputs: [whole(3), whole(3), whole(1)] },
  { operator: "Size", about: "[batch, 3, 4]", inputs: [f32(["batch", 3, 4])], gradients: [] },
];

/** Interpolation: the common ways of naming coordinates, by scales and by sizes. */
export const resizeSpecs: readonly OperatorSpec[] = [
  resize("nearest, twice as large", { scales: [1, 1, 2, 2], attributes: { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" } }),
  resize("nearest, half_pixel, odd sizes", { sizes: [7, 3] }),
  ...["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"].map((nearest_mode) =>
    resize(`nearest, ${nearest_mode}`, { scales: [1, 1, 1.5, 0.6], attributes: { coordinate_transformation_mode: "asymmetric", nearest_mode } }),
  ),
  ...["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"].flatMap((coordinate_transformation_mode) => [
    resize(`linear, ${coordinate_transformation_mode}`, { sizes: [7, 3], attributes: { mode: "linear", coordinate_transformation_mode } }),
    resize(`cubic, ${coordinate_transformation_mode}`, { scales: [1, 1, 1.7, 0.7], attributes: { mode: "cubic", coordinate_transformation_mode } }),
  ]),
  resize("linear to one element, align_corners", { sizes: [1, 1], attributes: { mode: "linear", coordinate_transformation_mode: "align_corners" } }),
  resize("linear to one element, pytorch_half_pixel", {
    sizes: [1, 2],
    attributes: { mode: "linear", coordinate_transformation_mode: "pytorch_half_pixel" },
  }),
  resize("cubic, a -0.5, places outside excluded", { sizes: [8, 9], attributes: { mode: "cubic", cubic_coeff_a: -0.5, exclude_outside: 1 } }),
  resize("linear, antialias", { sizes: [2, 3], attributes: { mode: "linear", antialias: 1 } }),
  resize("cubic, antialias", { sizes: [3, 2], attributes: { mode: "cubic", antialias: 1 } }),
  resize("sizes with the ratio kept, not larger", { sizes: [9, 9], attributes: { mode: "linear", keep_aspect_ratio_policy: "not_larger" } }),
  {
    operator: "Resize",
    about: "cubic, an axis too long for a matrix of weights",
    inputs: [f32(["batch", 1200]), undefined, undefined, ints(3600)],
    attributes: { mode: "cubic", axes: [1] },
    tolerance: 1e-3, // ONNX Runtime computes coordinates in float32: 1000 is known to 6e-5
  },
  {
    operator: "Resize",
    about: "one axis by name",
    inputs: [f32(["batch", 2, 5]), undefined, { ...f32([1], { values: [2] }), kind: "constant" }],
    attributes: { mode: "linear", axes: [2] },
  },
];

interface ResizeShapes {
  readonly scales?: readonly number[];
  /** Of the last two axes. */
  readonly sizes?: readonly number[];
  readonly attributes?: NonNullable<OperatorSpec["attributes"]>;
}

function resize(about: string, { scales, sizes, attributes = {} }: ResizeShapes): OperatorSpec {
  const x = f32(["batch", 2, 5, 4]);
  if (scales) return { operator: "Resize", about, inputs: [x, undefined, { ...f32([4], { values: scales }), kind: "constant" }], attributes };
  return { operator: "Resize", about, inputs: [x, undefined, undefined, ints(...(sizes ?? []))], attributes: { axes: [2, 3], ...attributes } };
}
