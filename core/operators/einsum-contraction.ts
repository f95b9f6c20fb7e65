import { tensor } from "../tensor.ts";
import type { Dimension } from "../graph/graph.ts";
import { isEllipsis, type EinsumLabel } from "./einsum-equation.ts";
import { reshape } from "./gradients.ts";
import type { Emitter, Value } from "./operator.ts";
import { staticShape } from "./static-shape.ts";

/** A value whose axes have names. */
export interface Labelled {
  readonly value: Value;
  readonly labels: readonly EinsumLabel[];
}

/** Takes the diagonal of axes of one name, until each name is there once. */
export function diagonals(emit: Emitter, { value, labels }: Labelled): Labelled {
  const second = labels.findIndex((label, i) => labels.indexOf(label) < i);
  if (second < 0) return { value, labels };
  const first = labels.indexOf(labels[second] ?? "");
  const others = labels.flatMap((_, axis) => (axis === first || axis === second ? [] : [axis]));
  const pair = emit.op("Transpose", [value], { perm: [...others, first, second] });
  const rest = pair.shape.slice(0, -2);
  const [size = 1] = staticShape({ dtype: value.dtype, shape: pair.shape.slice(-1) });
  const flat = reshape(emit, pair, [...rest, size * size]);
  const places = tensor(
    "int64",
    [size],
    Array.from({ length: size }, (_, i) => i * (size + 1)),
  );
  const diagonal = emit.op("Gather", [flat, emit.constant(places)], { axis: rest.length });
  return diagonals(emit, { value: diagonal, labels: [...others.map((axis) => labels[axis] ?? ""), labels[first] ?? ""] });
}

/**
 * The product of one or two values, summed over the names that are not `kept`.
 *
 * Names of both that are summed become the inner axis of a matrix product, those of one value its rows or columns; the names of both that
 * stay, those of an ellipsis and the batch (whose size cannot be multiplied) lead.
 */
export function contract(emit: Emitter, operands: readonly [Labelled, Labelled] | readonly [Labelled], kept: ReadonlySet<EinsumLabel>): Labelled {
  const [a, b] = operands.map((operand, i) => summed(emit, operand, new Set([...kept, ...(operands[1 - i]?.labels ?? [])])));
  if (a === undefined || b === undefined) return a ?? operands[0];
  const isBatch = (label: EinsumLabel): boolean => sizeIn(a, label) === "batch" || sizeIn(b, label) === "batch";
  // One axis of the batch may stand alone, but not be multiplied with others.
  const group = (labels: readonly EinsumLabel[]): readonly EinsumLabel[] =>
    labels.length === 1 ? labels : labels.filter((label) => !isBatch(label));
  const inner = group(a.labels.filter((label) => b.labels.includes(label) && !kept.has(label)));
  const rows = group(a.labels.filter((label) => !b.labels.includes(label) && !isEllipsis(label)));
  const columns = group(b.labels.filter((label) => !a.labels.includes(label) && !isEllipsis(label)));
  const lead = [...new Set([...a.labels, ...b.labels])].filter((label) => ![...inner, ...rows, ...columns].includes(label));
  const left = arranged(emit, a, { lead, groups: [rows, inner] });
  const right = arranged(emit, b, { lead, groups: [inner, columns] });
  const product = emit.op(inner.length > 0 ? "MatMul" : "Mul", [left, right]); // [lead..., rows, columns]
  const sizes = [...rows.map((label) => sizeIn(a, label) ?? 1), ...columns.map((label) => sizeIn(b, label) ?? 1)];
  const apart = reshape(emit, product, [...product.shape.slice(0, lead.length), ...sizes]);
  return summed(emit, { value: apart, labels: [...lead, ...rows, ...columns] }, kept);
}

/** Summed over the names that nobody needs. */
function summed(emit: Emitter, { value, labels }: Labelled, kept: ReadonlySet<EinsumLabel>): Labelled {
  const gone = labels.flatMap((label, axis) => (kept.has(label) ? [] : [axis]));
  if (gone.length === 0) return { value, labels };
  return {
    value: emit.op("ReduceSum", [value, emit.ints(gone)], { keepdims: 0 }),
    labels: labels.filter((label) => kept.has(label)),
  };
}

/** Axes in the order of `lead`, 1 where the value lacks one, and then one axis for each group, the product of its sizes. */
function arranged(
  emit: Emitter,
  operand: Labelled,
  { lead, groups }: { readonly lead: readonly EinsumLabel[]; readonly groups: readonly (readonly EinsumLabel[])[] },
): Value {
  const order = [...lead, ...groups.flat()].filter((label) => operand.labels.includes(label));
  const turned = emit.op("Transpose", [operand.value], { perm: order.map((label) => operand.labels.indexOf(label)) });
  const leading = lead.map((label) => sizeIn(operand, label) ?? 1);
  const grouped = groups.map((group) => group.map((label) => sizeIn(operand, label) ?? 1).reduce((a, b) => (a === 1 ? b : Number(a) * Number(b)), 1));
  return reshape(emit, turned, [...leading, ...grouped]);
}

function sizeIn({ value, labels }: Labelled, label: EinsumLabel): Dimension | undefined {
  const axis = labels.indexOf(label);
  return axis < 0 ? undefined : value.shape[axis];
}
