import { differentiate, GraphBuilder, type Attribute, type Dimension, type DType, type Graph, type Tensors, type Value } from "../../core/index.ts";
import { drawTensor, type Draw } from "./draw.ts";

/** An input of the operator under test. */
export interface InputSpec {
  readonly dtype: DType;
  readonly shape: readonly Dimension[];
  /** Default: normal numbers for floats. */
  readonly draw?: Draw;
  /** How it reaches the node: fed with every run (default), written into the graph, or kept as state. */
  readonly kind?: "feed" | "constant" | "state";
}

/** One application of an operator that is tried out. */
export interface OperatorSpec {
  /** After the operator's name: "Conv: 3x3, stride 2". */
  readonly about: string;
  readonly operator: string;
  /** Optional inputs that are left out are undefined. */
  readonly inputs: readonly (InputSpec | undefined)[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** The number of outputs; default 1. */
  readonly outputs?: number;
  /** Inputs that are differentiated: by default every float that is fed or state, where the operator has gradients. */
  readonly gradients?: readonly number[];
  /** Relative to the largest element; default 1e-5. Long float32 sums and powers need more, and say so here. */
  readonly tolerance?: number;
}

/** The batch sizes that one executable is run with. */
export const batchSizes: readonly number[] = [3, 1, 4];

/** A graph that applies the operator once. With `gradients`, it also returns d (sum of outputs times fed weights) / d input. */
export function graphOf(
  spec: OperatorSpec,
  { float = "float32", gradients = false }: { float?: "float16" | "float32" | "float64"; gradients?: boolean } = {},
): Graph {
  const builder = new GraphBuilder(nameOf(spec));
  const values = spec.inputs.map((input, i) => input && defineInput(builder, input, { name: `x${i}`, float, seedPath: [nameOf(spec), i] }));
  const outputs = builder.ops(spec.operator, values, spec.outputs ?? 1, spec.attributes ?? {});
  outputs.forEach((output, i) => builder.output(`y${i}`, output));
  if (!gradients) return builder.build();

  const terms = outputs.flatMap((output, i) => {
    if (output.dtype !== float) return [];
    return builder.op("ReduceSum", [builder.op("Mul", [output, builder.input(`weights${i}`, float, output.shape)])], { keepdims: 0 });
  });
  const loss = terms.reduce((sum, term) => builder.op("Add", [sum, term]));
  const by = gradientInputs(spec);
  const results = differentiate(
    builder,
    loss,
    by.map((i) => values[i] as Value),
  ); // gradientInputs names inputs that are there
  results.forEach((gradient, i) => builder.output(`dx${by[i]}`, gradient));
  return builder.build();
}

/** The tensors to feed for one batch size. */
export function feedsOf(graph: Graph, spec: OperatorSpec, batch: number): Tensors {
  return Object.fromEntries(
    graph.inputs.map(({ name, dtype, shape }) => {
      const input = name.startsWith("x") ? spec.inputs[Number(name.slice(1))] : undefined;
      const sizes = shape.map((size) => (size === "batch" ? batch : size));
      return [name, drawTensor(input?.draw ?? "normal", { dtype, shape: sizes, seedPath: [nameOf(spec), name, batch] })];
    }),
  );
}

/** First values for the inputs that are state. */
export function stateOf(graph: Graph, spec: OperatorSpec): Tensors {
  return Object.fromEntries(
    graph.state.map(({ name, dtype, shape }) => {
      const draw = spec.inputs[Number(name.slice(1))]?.draw ?? "normal";
      return [name, drawTensor(draw, { dtype, shape, seedPath: [nameOf(spec), name] })];
    }),
  );
}

export function nameOf(spec: OperatorSpec): string {
  return `${spec.operator}: ${spec.about}`;
}

/** The inputs that the spec's gradient case differentiates by. */
export function gradientInputs(spec: OperatorSpec): readonly number[] {
  if (spec.gradients !== undefined) return spec.gradients;
  return spec.inputs.flatMap((input, i) => (input?.dtype === "float32" && input.kind !== "constant" ? [i] : []));
}

interface Definition {
  readonly name: string;
  readonly float: "float16" | "float32" | "float64";
  readonly seedPath: readonly (string | number)[];
}

function defineInput(
  builder: GraphBuilder,
  { dtype, shape, kind = "feed", draw = "normal" }: InputSpec,
  { name, float, seedPath }: Definition,
): Value {
  const actual = dtype === "float32" ? float : dtype;
  if (kind === "feed") return builder.input(name, actual, shape);
  const sizes = shape.map(Number); // constants and state have no batch
  if (kind === "state") return builder.state(name, actual, sizes);
  return builder.constant(drawTensor(draw, { dtype: actual, shape: sizes, seedPath }), name);
}

/** A float32 input that is fed. */
export function f32(shape: readonly Dimension[], draw?: Draw): InputSpec {
  return { dtype: "float32", shape, ...(draw !== undefined && { draw }) };
}

/** A float32 input that is state. */
export function weight(shape: readonly number[], draw?: Draw): InputSpec {
  return { dtype: "float32", shape, kind: "state", ...(draw !== undefined && { draw }) };
}

/** An int64 constant: axes, shapes, pads. */
export function ints(...values: readonly number[]): InputSpec {
  return { dtype: "int64", shape: [values.length], kind: "constant", draw: { values } };
}

/** A constant scalar. */
export function constant(value: number, dtype: DType = "float32"): InputSpec {
  return { dtype, shape: [], kind: "constant", draw: { values: [value] } };
}
