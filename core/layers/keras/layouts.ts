import { EspalierError } from "../../errors.ts";
import { formatShape } from "../../graph/graph.ts";
import { refuse } from "./json.ts";
import { allocate, elementCount, tensor, toNumbers, type Tensor } from "../../tensor.ts";

/**
 * How a weight lies in Keras and how it lies here.
 *
 * `order`: which of Keras's axes comes where here; then the sizes may be joined to those of the parameter's shape.
 */
interface Layout {
  readonly order: (rank: number) => readonly number[];
  /** How many axes of size 1 come before those here. Default none. */
  readonly before?: number;
  /** Which of Keras's gates comes where here; the gates' rows lie one below the other. */
  readonly gates?: readonly number[];
}

/** Kernels of convolutions: [...kernel, inputs, filters] there, [filters, inputs, ...kernel] here. */
const kernelLast: Layout = { order: (rank) => [rank - 1, rank - 2, ...Array.from({ length: rank - 2 }, (_, i) => i)] };

/** Kernels of depthwise convolutions: [...kernel, channels, multiplier] there, [channels * multiplier, 1, ...kernel] here. */
const depthwise: Layout = { order: (rank) => [rank - 2, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i)] };

/** Kernels of recurrent layers: [inputs, gates * units] there, [1, gates * units, inputs] here. */
const turned: Layout = { order: (rank) => [rank - 1, ...Array.from({ length: rank - 1 }, (_, i) => i)], before: 1 };

/** Their biases: [gates * units] there, and [1, gates * units] here. */
const asItLies: Layout = { order: (rank) => Array.from({ length: rank }, (_, i) => i), before: 1 };

/** An LSTM's: gates i, f, c, o there and i, o, f, c here. */
const lstmGates: readonly number[] = [0, 3, 1, 2];
const lstmKernel: Layout = { ...turned, gates: lstmGates };
const lstmBias: Layout = { ...asItLies, gates: lstmGates };

/** Where a layer's weight lies otherwise than in Keras: by the layer's class and the weight's name. */
const layouts: Readonly<Record<string, Readonly<Record<string, Layout>>>> = {
  Conv1D: { kernel: kernelLast },
  Conv2D: { kernel: kernelLast },
  Conv3D: { kernel: kernelLast },
  Conv1DTranspose: { kernel: kernelLast },
  Conv2DTranspose: { kernel: kernelLast },
  Conv3DTranspose: { kernel: kernelLast },
  DepthwiseConv1D: { kernel: depthwise },
  DepthwiseConv2D: { kernel: depthwise },
  SeparableConv1D: { depthwise_kernel: depthwise, pointwise_kernel: kernelLast },
  SeparableConv2D: { depthwise_kernel: depthwise, pointwise_kernel: kernelLast },
  LSTM: { kernel: lstmKernel, recurrent_kernel: lstmKernel, bias: lstmBias },
  GRU: { kernel: turned, recurrent_kernel: turned, bias: asItLies },
  SimpleRNN: { kernel: turned, recurrent_kernel: turned, bias: asItLies },
};

/** How a norm's axes of a weight are written: in Keras's layout there, in ours here. */
export interface AxisMap {
  readonly toKeras: (axes: readonly number[]) => readonly number[];
  /** @throws ARGUMENT_INVALID for some of several axes that lie as one here */
  readonly fromKeras: (axes: readonly number[]) => readonly number[];
}

/** The weight that an argument is about. */
export interface WeightPlace {
  /** In camel case: "kernelConstraint". */
  readonly argument: string;
  /** The layer's, as it is written here or there: they tell how many axes a weight has. */
  readonly kernelSize: unknown;
  readonly depthMultiplier: unknown;
  readonly resetAfter: unknown;
  /** For errors. */
  readonly where: string;
}

/** The axes of the weight that an argument is about. */
export function axisMap(kind: string, place: WeightPlace): AxisMap {
  const { argument, where } = place;
  if (attentions.has(kind)) {
    const none = (): never => refuse(`${where}: ${argument} is over axes of heads, which lie side by side here; use NonNeg or none`);
    return { toKeras: none, fromKeras: none };
  }
  const name = argument.replace(/Constraint$/, "");
  const ofDepthwise = kind.startsWith("Depthwise") ? "kernel" : "depthwise_kernel";
  const weight = { depthwise: ofDepthwise, pointwise: "pointwise_kernel", recurrent: "recurrent_kernel" }[name] ?? name;
  const layout = layouts[kind]?.[weight];
  if (layout === undefined) return { toKeras: (axes) => axes, fromKeras: (axes) => axes };
  const hasTwoBiases = kind === "GRU" && weight === "bias" && place.resetAfter !== false;
  const rank = Array.isArray(place.kernelSize) ? place.kernelSize.length + 2 : weight === "bias" && !hasTwoBiases ? 1 : 2;
  const { before = 0 } = layout;
  const order = layout.order(rank);
  const hasSeveral = layout === depthwise && typeof place.depthMultiplier === "number" && place.depthMultiplier > 1;
  /** Keras's axes that lie as one here. */
  const joined = hasTwoBiases ? [0, 1] : hasSeveral ? [rank - 2, rank - 1] : [];
  const front = (axis: number, size: number): number => (axis < 0 ? axis + size : axis);
  return {
    toKeras(axes) {
      const there = axes.flatMap((axis) => order[front(axis, rank + before) - before] ?? []);
      return unique(there.flatMap((axis) => (joined.includes(axis) ? joined : [axis])));
    },
    fromKeras(axes) {
      const there = axes.map((axis) => front(axis, rank));
      const some = joined.filter((axis) => there.includes(axis)).length;
      if (some > 0 && some < joined.length)
        refuse(`${where}: ${argument} is over one of the axes ${joined.join(" and ")}, which lie as one here; name both`);
      return unique(there.map((axis) => (hasTwoBiases ? before : order.indexOf(axis) + before)));
    },
  };
}

/** Layers whose weights have axes of heads in Keras. */
const attentions: ReadonlySet<string> = new Set(["GroupQueryAttention", "MultiHeadAttention"]);

function unique(axes: readonly number[]): readonly number[] {
  return [...new Set(axes)].toSorted((a, b) => a - b);
}

/** One of Keras's weights as the parameter here. @param shape the parameter's @throws ARGUMENT_INVALID when the sizes do not go together */
export function weightFromKeras(
  kind: string,
  { name, weight, shape }: { readonly name: string; readonly weight: Tensor; readonly shape: readonly number[] },
): Tensor {
  const short = name.slice(name.lastIndexOf("/") + 1);
  const layout = layouts[kind]?.[short];
  const moved = layout === undefined ? weight : byGates(transposed(weight, layout.order(weight.shape.length)), layout.gates);
  // Keras has axes of heads and gates where there is one here: what is joined lies side by side in both.
  if (withoutOnes(moved.shape) === withoutOnes(shape) || joins(moved.shape, shape))
    return tensor("float32", shape, Float32Array.from(toNumbers(moved)));
  throw new EspalierError(
    "ARGUMENT_INVALID",
    `"${name}" (of a ${kind}) is ${formatShape(shape)}, which Keras's ${formatShape(weight.shape)} does not fill`,
    {
      parameter: name,
      shape: weight.shape,
    },
  );
}

function byGates(value: Tensor, gates: readonly number[] | undefined): Tensor {
  if (gates === undefined) return value;
  const from = toNumbers(value);
  const size = from.length / gates.length;
  return tensor(
    "float32",
    value.shape,
    Float32Array.from({ length: from.length }, (_, i) => from[(gates[Math.floor(i / size)] ?? 0) * size + (i % size)] ?? 0),
  );
}

function withoutOnes(shape: readonly number[]): string {
  return shape.filter((size) => size !== 1).join();
}

/** Whether neighbouring sizes of `parts` multiply to those of `whole`. */
function joins(parts: readonly number[], whole: readonly number[]): boolean {
  let i = 0;
  for (const size of whole) {
    let product = 1;
    while (product < size && i < parts.length) product *= parts[i++] ?? 1;
    if (product !== size) return false;
  }
  return elementCount(parts.slice(i)) === 1;
}

function transposed(value: Tensor, order: readonly number[]): Tensor {
  const shape = order.map((axis) => value.shape[axis] ?? 1);
  const strides = value.shape.map((_, axis) => elementCount(value.shape.slice(axis + 1)));
  const from = toNumbers(value);
  const data = allocate("float32", from.length);
  const place = shape.map(() => 0);
  for (let i = 0; i < data.length; i += 1) {
    data[i] = from[place.reduce((sum, at, axis) => sum + at * (strides[order[axis] ?? 0] ?? 0), 0)] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      place[axis] = (place[axis] ?? 0) + 1;
      if ((place[axis] ?? 0) < (shape[axis] ?? 0)) break;
      place[axis] = 0;
    }
  }
  return tensor("float32", shape, data);
}
