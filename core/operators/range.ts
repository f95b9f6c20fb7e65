import { tensor, toNumbers } from "../tensor.ts";
import type { Dimension } from "../graph/graph.ts";
import type { InferContext, Operator } from "./operator.ts";
import { alike } from "./shapes.ts";

/** Lengths above this are not followed through shapes. */
const maxContents = 2 ** 16;

/** start, start + delta, ... before limit: three scalars that are constants or follow from shapes. @see https://onnx.ai/onnx/operators/onnx__Range.html */
export const rangeOperator: Operator = {
  name: "Range",
  domain: "",
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: {},
  infer(context) {
    const inputs = alike(context, [0, 1, 2], ["float32", "float64", "int32", "int64"]);
    if (inputs.some(({ shape }) => shape.length > 0)) context.fail("start, limit and delta must be scalars");
    const [start, limit, delta] = [boundOf(context, 0), boundOf(context, 1), boundOf(context, 2)];
    if (delta === 0) context.fail("the delta (input 2) cannot be 0");
    const { dtype } = context.input(0);
    if (limit === "batch" && start === 0 && delta === 1) return [{ dtype, shape: ["batch"] }];
    if (start === "batch" || limit === "batch" || delta === "batch") return context.fail("only 0 to the batch size by 1 may hold the batch size");
    return [{ dtype, shape: [Math.max(0, Math.ceil((limit - start) / delta))] }];
  },
  contents(context) {
    const [start, limit, delta] = [boundOf(context, 0), boundOf(context, 1), boundOf(context, 2)];
    if (context.input(0).dtype !== "int64" || start === "batch" || limit === "batch" || delta === "batch") return undefined;
    const count = Math.max(0, Math.ceil((limit - start) / delta));
    return count > maxContents ? undefined : Array.from({ length: count }, (_, i) => start + i * delta);
  },
  gradient: () => [],
  // Its length is its contents: known wherever its shape is.
  lower({ emit, constant, input, outputTypes }) {
    const [start, delta] = [constant(0), constant(2)].map((value) => (value ? (toNumbers(value)[0] ?? 0) : 0));
    const count = Number(outputTypes[0]?.shape[0]);
    const { dtype } = input(0);
    return [
      emit.constant(
        tensor(
          dtype,
          [count],
          Array.from({ length: count }, (_, i) => (start ?? 0) + i * (delta ?? 1)),
        ),
      ),
    ];
  },
};

function boundOf(context: InferContext, index: number): Dimension {
  const constant = context.constant(index);
  const value = constant ? toNumbers(constant)[0] : context.dimensions(index)?.[0];
  return value ?? context.fail(`start, limit and delta must be constants or follow from Shape; input ${index} is neither`);
}
