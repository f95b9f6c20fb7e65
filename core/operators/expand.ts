import { vectorContents } from "./contents.ts";
import { sumTo } from "./gradients.ts";
import type { Operator } from "./operator.ts";
import { broadcast, typed } from "./shapes.ts";

/** `value` copied under broadcasting to a shape. @see https://onnx.ai/onnx/operators/onnx__Expand.html */
export const expand: Operator = {
  name: "Expand",
  domain: "",
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: {},
  infer(context) {
    const x = context.input(0);
    typed(context, 1, ["int64"]);
    const shape = context.dimensions(1) ?? context.fail("the shape (input 1) must be a constant or follow from Shape");
    if (shape.some((size) => size !== "batch" && size < 0)) context.fail("the shape (input 1) has a negative size");
    return [{ dtype: x.dtype, shape: broadcast(context, [x.shape, shape]) }];
  },
  contents(context) {
    const values = vectorContents(context, 0);
    const shape = context.dimensions(1);
    const [count] = shape ?? [];
    if (values === undefined || shape?.length !== 1 || typeof count !== "number") return undefined;
    return values.length === 1 ? Array.from({ length: count }, () => values[0] ?? 1) : values;
  },
  gradient({ emit, input, gradients }) {
    const [dy] = gradients;
    return [dy && sumTo(emit, dy, input(0).shape)];
  },
};
