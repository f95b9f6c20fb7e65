import { vectorContents } from "./contents.ts";
import { sumTo } from "./gradients.ts";
import type { Dimension } from "../graph/graph.ts";
import type { Operator } from "./operator.ts";
import { broadcast, movableTypes, typed } from "./shapes.ts";

/** a where the condition holds, else b. @see https://onnx.ai/onnx/operators/onnx__Where.html */
export const where: Operator = {
  name: "Where",
  domain: "",
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: {},
  infer(context) {
    const condition = typed(context, 0, ["bool"]);
    const a = typed(context, 1, movableTypes);
    const b = typed(context, 2, [a.dtype]);
    return [{ dtype: a.dtype, shape: broadcast(context, [condition.shape, a.shape, b.shape]) }];
  },
  contents(context) {
    const [condition, a, b] = [0, 1, 2].map((index) => vectorContents(context, index));
    if (condition === undefined || a === undefined || b === undefined) return undefined;
    const at = (values: readonly Dimension[], i: number): Dimension | undefined => values[values.length === 1 ? 0 : i];
    const chosen = Array.from({ length: Math.max(condition.length, a.length, b.length) }, (_, i) => at(at(condition, i) === 1 ? a : b, i));
    return chosen.every((value) => value !== undefined) ? chosen : undefined;
  },
  gradient({ emit, input, gradients, needs }) {
    const [dy] = gradients;
    if (dy === undefined) return [];
    const zero = emit.scalar(0, dy.dtype);
    const da = needs(1) ? sumTo(emit, emit.op("Where", [input(0), dy, zero]), input(1).shape) : undefined;
    const db = needs(2) ? sumTo(emit, emit.op("Where", [input(0), zero, dy]), input(2).shape) : undefined;
    return [undefined, da, db];
  },
};
