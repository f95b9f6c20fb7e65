import { tensor } from "../../../core/index.ts";
import { int, text } from "../onnx-emitter.ts";
import type { Lowering, LoweringContext } from "./lowering.ts";
import { product } from "./window.ts";

/**
 * Rows of the target up to which adding goes by a product with one-hot rows; above it by ScatterElements, one element after the other.
 *
 * In one thread, 20,000 rows of 32 took the product 0.9, 2.9 and 5.2 ms with 7, 64 and 128 target rows and ScatterElements 2.7; 2,048
 * rows of 256 took 0.2, 0.6 and 1.1 against 2.0.
 */
const mostOneHot = 64;

/**
 * ScatterND with a reduction. ONNX Runtime 1.30 computes it in several threads that add to the same element without waiting for each
 * other: 20,000 rows scattered to 7 came out wrong in every run. (Its ScatterElements works in one thread.)
 */
export const scatterNdReduction: Lowering = {
  operator: "ScatterND",
  applies: (attributes) => attributes.string("reduction") !== "none",
  lower(context) {
    const { emit, input, attributes } = context;
    const data = input(0);
    const tuple = input(1).shape.at(-1) ?? 0;
    const count = product(input(1).shape.slice(0, -1));
    const rows = product(data.shape.slice(0, tuple));
    const inner = product(data.shape.slice(tuple));
    const target = emit.emit("Reshape", [data.name, emit.ints([rows, inner])]);
    const updates = emit.emit("Reshape", [input(2).name, emit.ints([count, inner])]);
    const places = rowNumbers(context, { tuple, count }); // [count, 1]
    const adds = attributes.string("reduction") === "add";
    const result = adds && data.dtype === "float32" && rows <= mostOneHot ? oneHot() : elements();
    return [emit.emit("Reshape", [result, emit.ints(data.shape)])];

    function oneHot(): string {
      const flat = emit.emit("Reshape", [places, emit.ints([count])]);
      const depth = emit.constant(tensor("int64", [1], [rows]));
      const chosen = emit.emit("OneHot", [flat, depth, emit.constant(tensor("float32", [2], [0, 1]))], { axis: int(1) }); // [count, rows]
      return emit.emit("Gemm", [chosen, updates, target], { transA: int(1) });
    }

    function elements(): string {
      const indices = emit.emit("Expand", [places, emit.ints([count, inner])]);
      return emit.emit("ScatterElements", [target, indices, updates], { axis: int(0), reduction: text(attributes.string("reduction")) });
    }
  },
};

/** Index tuples [..., tuple] as numbers of rows [count, 1]; negative indices count from the end. */
function rowNumbers({ emit, input }: LoweringContext, { tuple, count }: { readonly tuple: number; readonly count: number }): string {
  const sizes = input(0).shape.slice(0, tuple);
  const strides = sizes.map((_, i) => product(sizes.slice(i + 1)));
  const tuples = emit.emit("Reshape", [input(1).name, emit.ints([count, tuple])]);
  const isNegative = emit.emit("Less", [tuples, emit.scalar(0, "int64")]);
  const positive = emit.emit("Where", [isNegative, emit.emit("Add", [tuples, emit.ints(sizes)]), tuples]);
  if (tuple === 1) return positive;
  return emit.emit("ReduceSum", [emit.emit("Mul", [positive, emit.ints(strides)]), emit.ints([1])]);
}
