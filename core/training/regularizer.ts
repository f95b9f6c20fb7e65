import { EspalierError } from "../errors.ts";
import { formatShape } from "../graph/graph.ts";
import { checkNames } from "../nearest.ts";
import type { Emitter, Value } from "../operators/operator.ts";
import { tensor } from "../tensor.ts";

/** A penalty on a parameter's values, added to the loss. Plain data, with Keras's argument names. */
export type Regularizer =
  | { readonly kind: "l1"; /** Times the sum of |w|. */ readonly l1: number }
  | { readonly kind: "l2"; /** Times the sum of w^2. */ readonly l2: number }
  | { readonly kind: "l1l2"; readonly l1: number; readonly l2: number }
  | { readonly kind: "orthogonal"; readonly factor: number; /** What shall be at right angles to each other. */ readonly mode: "rows" | "columns" };

/** l1 sum|w|: pulls values to exactly zero. @throws ARGUMENT_INVALID @see https://keras.io/api/layers/regularizers/#l1-class */
export function l1(factor = 0.01): Regularizer {
  return checkRegularizer({ kind: "l1", l1: factor });
}

/** l2 sum w^2: pulls values towards zero. @throws ARGUMENT_INVALID @see https://keras.io/api/layers/regularizers/#l2-class */
export function l2(factor = 0.01): Regularizer {
  return checkRegularizer({ kind: "l2", l2: factor });
}

/** Both penalties. @throws ARGUMENT_INVALID @see https://keras.io/api/layers/regularizers/#l1l2-class */
export function l1l2({ l1 = 0, l2 = 0, ...others }: { readonly l1?: number; readonly l2?: number } = {}): Regularizer {
  checkNames("l1l2", others, ["l1", "l2"]);
  return checkRegularizer({ kind: "l1l2", l1, l2 });
}

/**
 * `factor` times the mean |cosine| of all pairs of a matrix's rows (or columns).
 *
 * @throws ARGUMENT_INVALID
 * @see https://keras.io/api/layers/regularizers/#orthogonalregularizer-class
 */
export function orthogonal({
  factor = 0.01,
  mode = "rows",
  ...others
}: { readonly factor?: number; readonly mode?: "rows" | "columns" } = {}): Regularizer {
  checkNames("orthogonal", others, ["factor", "mode"]);
  return checkRegularizer({ kind: "orthogonal", factor, mode });
}

/**
 * Writes a regulariser's penalty.
 *
 * @param parameter float, of any shape; a matrix for "orthogonal"
 * @returns a scalar of the parameter's element type
 * @throws ARGUMENT_INVALID for a factor out of range; GRAPH_SHAPE for "orthogonal" on anything but a matrix of two or more rows (columns)
 */
export function regularize(emit: Emitter, regularizer: Regularizer, parameter: Value): Value {
  const known = checkRegularizer(regularizer);
  switch (known.kind) {
    case "l1":
      return absolute(emit, parameter, known.l1);
    case "l2":
      return squared(emit, parameter, known.l2);
    case "l1l2":
      return emit.op("Add", [absolute(emit, parameter, known.l1), squared(emit, parameter, known.l2)]);
    case "orthogonal":
      return cosines(emit, parameter, known);
    default:
      return known satisfies never;
  }
}

function absolute(emit: Emitter, parameter: Value, factor: number): Value {
  const sum = emit.op("ReduceSum", [emit.op("Abs", [parameter])], { keepdims: 0 });
  return emit.op("Mul", [sum, emit.scalar(factor, parameter.dtype)]);
}

function squared(emit: Emitter, parameter: Value, factor: number): Value {
  const sum = emit.op("ReduceSum", [emit.op("Mul", [parameter, parameter])], { keepdims: 0 });
  return emit.op("Mul", [sum, emit.scalar(factor, parameter.dtype)]);
}

function cosines(emit: Emitter, parameter: Value, { factor, mode }: Extract<Regularizer, { kind: "orthogonal" }>): Value {
  const vectors = Number(parameter.shape[mode === "rows" ? 0 : 1]);
  if (parameter.shape.length !== 2 || !(vectors >= 2)) {
    throw new EspalierError(
      "GRAPH_SHAPE",
      `regularizer "orthogonal": "${parameter.name}" is ${formatShape(parameter.shape)}, but only a matrix of at least two ${mode} has angles; leave it out there`,
      { parameter: parameter.name, shape: parameter.shape, mode },
    );
  }
  const squares = emit.op("ReduceSum", [emit.op("Mul", [parameter, parameter]), emit.ints([mode === "rows" ? 1 : 0])], { keepdims: 1 });
  // A vector of zeros has no direction: the bound keeps its length and its slope finite.
  const lengths = emit.op("Sqrt", [emit.op("Max", [squares, emit.scalar(1e-14, parameter.dtype)])]);
  const directions = emit.op("Div", [parameter, lengths]);
  const turned = emit.op("Transpose", [directions], { perm: [1, 0] });
  const products = mode === "rows" ? emit.op("MatMul", [directions, turned]) : emit.op("MatMul", [turned, directions]); // [vectors, vectors]
  const others = Array.from({ length: vectors * vectors }, (_, i) => (i % (vectors + 1) === 0 ? 0 : 1));
  const offDiagonal = emit.op("Mul", [emit.op("Abs", [products]), emit.constant(tensor(parameter.dtype, [vectors, vectors], others))]);
  const sum = emit.op("ReduceSum", [offDiagonal], { keepdims: 0 });
  return emit.op("Mul", [sum, emit.scalar(factor / (vectors * (vectors - 1)), parameter.dtype)]);
}

/** The regulariser, when its numbers are in range; it may have been read from a file. @throws ARGUMENT_INVALID */
export function checkRegularizer(regularizer: Regularizer): Regularizer {
  if (typeof regularizer !== "object") {
    throw new EspalierError("ARGUMENT_INVALID", `a regularizer must be one, such as l2(0.01), not ${JSON.stringify(regularizer)}`, { regularizer });
  }
  const { kind } = regularizer;
  if (!["l1", "l2", "l1l2", "orthogonal"].includes(kind)) {
    throw new EspalierError("ARGUMENT_INVALID", `regularizer: kind must be "l1", "l2", "l1l2" or "orthogonal", not "${kind}"`, { kind });
  }
  if (kind === "orthogonal" && regularizer.mode !== "rows" && regularizer.mode !== "columns") {
    throw new EspalierError("ARGUMENT_INVALID", `regularizer "orthogonal": mode must be "rows" or "columns", not "${String(regularizer.mode)}"`, {
      mode: regularizer.mode,
    });
  }
  const factors = {
    ...((kind === "l1" || kind === "l1l2") && { l1: regularizer.l1 }),
    ...((kind === "l2" || kind === "l1l2") && { l2: regularizer.l2 }),
    ...(kind === "orthogonal" && { factor: regularizer.factor }),
  };
  for (const [name, value] of Object.entries(factors)) {
    if (value >= 0 && Number.isFinite(value)) continue;
    throw new EspalierError("ARGUMENT_INVALID", `regularizer "${kind}": ${name} must be a number from 0, not ${value}`, { kind, [name]: value });
  }
  return regularizer;
}
