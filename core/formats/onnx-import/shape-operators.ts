import { symbolicCount } from "../../operators/shapes.ts";
import { tensor, toNumbers, type Tensor } from "../../tensor.ts";
import type { Adaptation } from "./adaptation.ts";
import { requiredInput, withInput } from "./attribute-access.ts";

/** Longer ranges are data, which the graph computes: a small file must not fill the memory. */
const maxRange = 1024;

/** Operators that make or read shapes, written with what graphs have. */
export const shapeAdaptations: Readonly<Record<string, readonly Adaptation[]>> = {
  Reshape: [
    {
      // A shape computed from the batch size is the constant shape with -1 in its place.
      adapt(node, { emit, constant, dimensions }) {
        const sizes = dimensions(node.inputs[1]);
        if (sizes === undefined || constant(node.inputs[1]) !== undefined || sizes.includes(-1) || sizes.includes(0)) return node;
        if (sizes.filter((size) => size === "batch").length !== 1) return node;
        return withInput(node, 1, emit.ints(sizes.map((size) => (size === "batch" ? -1 : size))));
      },
    },
  ],
  Squeeze: [
    {
      // "All axes of size 1" are those of the file's sizes: a batch of one row keeps its axis.
      adapt(node, context) {
        const { shape } = requiredInput(node, 0, context);
        if (node.inputs[1] !== undefined || !shape.includes("batch")) return node;
        return withInput(node, 1, context.emit.ints(shape.flatMap((size, axis) => (size === 1 ? [axis] : []))));
      },
    },
  ],
  ConstantOfShape: [
    {
      adapt(node, context) {
        const given = node.attributes["value"];
        const value: Tensor = given?.kind === "tensor" ? given.value : tensor("float32", [1], [0]);
        const element = context.emit.op("Squeeze", [context.emit.constant(value)]);
        return [context.emit.op("Expand", [element, requiredInput(node, 0, context)])];
      },
    },
  ],
  Size: [
    {
      adapt(node, context) {
        const { emit, refuse } = context;
        const x = requiredInput(node, 0, context);
        const { count, batches } = symbolicCount(x.shape);
        const known = emit.constant(tensor("int64", [], [count]));
        if (batches === 0) return [known];
        if (batches > 1) return refuse("two dimensions are the batch");
        const batch = emit.op("Squeeze", [emit.op("Shape", [x], { start: x.shape.indexOf("batch"), end: x.shape.indexOf("batch") + 1 })]);
        return [emit.op("Mul", [batch, known])];
      },
    },
  ],
  Range: [
    {
      adapt(node, { emit, constant }) {
        const [start, limit, delta] = [0, 1, 2].map((i) => constant(node.inputs[i]));
        if (start === undefined || limit === undefined || delta === undefined || start.dtype === "string") return node;
        const [[from = 0], [to = 0], [step = 0]] = [start, limit, delta].map(toNumbers) as [number[], number[], number[]]; // three tensors
        const count = Math.max(0, Math.ceil((to - from) / step));
        if (!(count <= maxRange)) return node;
        return [
          emit.constant(
            tensor(
              start.dtype,
              [count],
              Array.from({ length: count }, (_, i) => from + i * step),
            ),
          ),
        ];
      },
    },
  ],
};
