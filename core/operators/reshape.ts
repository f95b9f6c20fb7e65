import { formatShape, type Dimension } from "../graph/graph.ts";
import { sameContents } from "./contents.ts";
import { reshape as reshapeValue, reshapeTo } from "./gradients.ts";
import type { GradientContext, InferContext, LowerContext, Operator, Value } from "./operator.ts";
import { axesOf, knownInts, optionalInts, productOf, symbolicCount, typed } from "./shapes.ts";

/**
 * The same elements in another shape; 0 keeps a size (unless `allowzero`), one -1 takes what is left, which may be the batch.
 *
 * @see https://onnx.ai/onnx/operators/onnx__Reshape.html
 */
export const reshape: Operator = {
  name: "Reshape",
  domain: "",
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { allowzero: { kind: "int", default: 0 } },
  infer(context) {
    const x = context.input(0);
    typed(context, 1, ["int64"]);
    const target = context.dimensions(1) ?? context.fail("the shape (input 1) must be a constant or follow from Shape");
    return [{ dtype: x.dtype, shape: resolveShape(context, x.shape, target) }];
  },
  contents: sameContents,
  gradient: backToInput,
};

/** Axes before `axis` as rows, the others as columns. @see https://onnx.ai/onnx/operators/onnx__Flatten.html */
export const flatten: Operator = {
  name: "Flatten",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { axis: { kind: "int", default: 1 } },
  infer(context) {
    const { dtype, shape } = context.input(0);
    const axis = context.attributes.int("axis");
    if (axis < -shape.length || axis > shape.length) context.fail(`axis ${axis} is outside rank ${shape.length}`);
    const split = axis < 0 ? axis + shape.length : axis;
    return [{ dtype, shape: [productOf(context, shape.slice(0, split)), productOf(context, shape.slice(split))] }];
  },
  contents: sameContents,
  gradient: backToInput,
  lower: asReshape,
};

/** Without the axes of size 1 (input 1; all of them when it is left out, which a value with a batch cannot). @see https://onnx.ai/onnx/operators/onnx__Squeeze.html */
export const squeeze: Operator = {
  name: "Squeeze",
  domain: "",
  inputs: [1, 2],
  outputs: [1, 1],
  attributes: {},
  infer(context) {
    const { dtype, shape } = context.input(0);
    const given = optionalInts(context, 1, "axes");
    if (given === undefined && shape.includes("batch"))
      context.fail("needs the axes (input 1): without them a batch of one row would lose its axis too");
    const axes = given ? axesOf(context, given, shape.length) : shape.flatMap((size, i) => (size === 1 ? [i] : []));
    for (const axis of axes) if (shape[axis] !== 1) context.fail(`axis ${axis} has size ${shape[axis]}, not 1`);
    return [{ dtype, shape: shape.filter((_, i) => !axes.includes(i)) }];
  },
  contents: sameContents,
  gradient: backToInput,
  lower: asReshape,
};

/** With new axes of size 1 at the places (in the result) of input 1. @see https://onnx.ai/onnx/operators/onnx__Unsqueeze.html */
export const unsqueeze: Operator = {
  name: "Unsqueeze",
  domain: "",
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: {},
  infer(context) {
    const { dtype, shape } = context.input(0);
    const given = knownInts(context, 1, "axes");
    const axes = axesOf(context, given, shape.length + given.length);
    const rest = [...shape];
    const result = Array.from({ length: shape.length + given.length }, (_, i) => (axes.includes(i) ? 1 : (rest.shift() ?? 1)));
    return [{ dtype, shape: result }];
  },
  contents: sameContents,
  gradient: backToInput,
  lower: asReshape,
};

function backToInput({ emit, input, gradients: [dy] }: GradientContext): readonly (Value | undefined)[] {
  return [dy && reshapeTo(emit, dy, input(0))];
}

function asReshape({ emit, input, outputTypes }: LowerContext): readonly Value[] {
  return [reshapeValue(emit, input(0), outputTypes[0]?.shape ?? [])];
}

function resolveShape(context: InferContext, from: readonly Dimension[], target: readonly Dimension[]): readonly Dimension[] {
  const keepsZero = context.attributes.int("allowzero") === 1;
  const describe = `reshape ${formatShape(from)} to ${formatShape(target)}`;
  if (target.filter((size) => size === -1).length > 1) context.fail(`${describe}: only one size may be -1`);
  const sizes = target.map((size, i) => {
    if (size !== "batch" && size < -1) return context.fail(`${describe}: a size cannot be ${size}`);
    if (size !== 0 || keepsZero) return size;
    return from[i] ?? context.fail(`${describe}: 0 at place ${i} has no size to keep`);
  });
  const have = symbolicCount(from);
  const want = symbolicCount(sizes.filter((size) => size !== -1));
  if (!sizes.includes(-1)) {
    if (have.count !== want.count || have.batches !== want.batches) context.fail(`${describe}: the numbers of elements differ`);
    return sizes;
  }
  const left = want.count === 0 ? NaN : have.count / want.count;
  if (have.batches === want.batches && Number.isInteger(left)) return sizes.map((size) => (size === -1 ? left : size));
  if (have.batches === want.batches + 1 && left === 1) return sizes.map((size) => (size === -1 ? "batch" : size));
  return context.fail(`${describe}: what is left for -1 is neither a whole number nor the batch size`);
}
