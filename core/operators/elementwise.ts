import type { AttributeSpec, GradientContext, InferContext, LowerContext, Operator, Value } from "./operator.ts";
import type { DType } from "../tensor.ts";
import { pairedContents, type DimensionRule } from "./contents.ts";
import { sumTo } from "./gradients.ts";
import { alike, broadcast, typed } from "./shapes.ts";

/** What an operator of one input and one output of the same shape consists of. */
export interface UnaryRule {
  readonly dtypes: readonly DType[];
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
  /** dx from the node's input x, its output y and dy. */
  readonly gradient?: (context: GradientContext, x: Value, y: Value, dy: Value) => Value | undefined;
  readonly lower?: (context: LowerContext, x: Value) => Value;
}

/** Defines an operator that works element by element on one value. */
export function unary(name: string, { dtypes, attributes = {}, gradient, lower }: UnaryRule): Operator {
  return {
    name,
    domain: "",
    inputs: [1, 1],
    outputs: [1, 1],
    attributes,
    infer: (context) => [typed(context, 0, dtypes)],
    ...(gradient && {
      gradient: (context: GradientContext) => {
        const [y] = context.outputs;
        const [dy] = context.gradients;
        return y === undefined || dy === undefined ? [] : [gradient(context, context.input(0), y, dy)];
      },
    }),
    ...(lower && { lower: (context: LowerContext) => [lower(context, context.input(0))] }),
  };
}

/** What an operator of two broadcast inputs consists of. */
export interface BinaryRule {
  readonly dtypes: readonly DType[];
  /** The output's element type, where it is not the inputs'. */
  readonly result?: DType;
  /** How sizes go through it, where shapes are computed with it. */
  readonly contents?: DimensionRule;
  /** Gradients in the output's shape; each is asked for only when it is needed, and summed to its operand's shape here. */
  readonly gradient?: (context: GradientContext, dy: Value) => readonly [a: () => Value | undefined, b: () => Value | undefined];
}

/** Defines an operator that works element by element on two values under broadcasting. */
export function binary(name: string, { dtypes, result, contents, gradient }: BinaryRule): Operator {
  return {
    name,
    domain: "",
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: {},
    infer: (context) => {
      const shapes = alike(context, [0, 1], dtypes).map((input) => input.shape);
      return [{ dtype: result ?? context.input(0).dtype, shape: broadcast(context, shapes) }];
    },
    ...(contents && { contents: (context: InferContext) => pairedContents(context, [0, 1], contents) }),
    ...(gradient && {
      gradient: (context: GradientContext) => {
        const [dy] = context.gradients;
        if (dy === undefined) return [];
        return gradient(context, dy).map((rule, index) => {
          const full = context.needs(index) ? rule() : undefined;
          return full && sumTo(context.emit, full, context.input(index).shape);
        });
      },
    }),
  };
}
