import type { GraphBuilder } from "../graph/builder.ts";
import type { Graph, Node, ValueName } from "../graph/graph.ts";
import { rewrite } from "../graph/rewrite.ts";
import { dtypeCodes } from "../operators/cast.ts";
import type { Value } from "../operators/operator.ts";
import { isFloat } from "../operators/shapes.ts";
import { toNumbers, type Tensor } from "../tensor.ts";

/** In which element types a step computes; names are those of Keras's policies. */
export type Precision = "float32" | "mixed_float16";

/** All of them. */
export const precisions: readonly Precision[] = ["float32", "mixed_float16"];

/** Operators that gain most, and whose sums hardware adds up in float32: always in float16. */
const halved: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Einsum", "Gemm", "MatMul"]);

/** Operators that lose nothing: they stay in float16 where their input already is. All others (sums, powers, normalisations, losses) need float32. */
const followers: ReadonlySet<string> = new Set(
  (
    "Abs ActivityRegularization Add Clip Concat DepthToSpace Div Elu Expand Flatten Gather Gelu HardSigmoid HardSwish Identity LeakyRelu Max MaxPool Min Mul Neg Pad PRelu Relu " +
    "Reshape Selu Sigmoid Slice SpaceToDepth Split Squeeze Sub Tanh Tile Transpose Unsqueeze Where"
  ).split(" "),
);

/** The largest float16, and the smallest with all its digits. */
const [largest, smallest] = [65504, 2 ** -14];

/**
 * A float32 graph with its matrix products and convolutions in float16, and what only passes their results on. State, inputs, outputs and updates stay
 * float32; values are cast where they pass from one to the other, each once.
 *
 * Differentiated, the gradients of what is in float16 are in float16 too, and a parameter's is cast to float32 at its end. Where float16 meets float32, the
 * result is float32, but for parameters, constants that float16 can hold, and what is made of them alone.
 * @param graph in training's form, where attention and recurrent layers are written in their parts
 * @see P. Micikevicius et al., Mixed precision training (2018)
 * @see https://pytorch.org/docs/stable/amp.html, the lists of autocast
 */
export function mixedPrecision(graph: Graph): Graph {
  const visible = new Set([...Object.values(graph.outputs), ...Object.values(graph.updates)]);
  const halves = new Halves(graph);
  return rewrite(graph, {
    node(builder, node) {
      return builder.scope(node.name, () =>
        halves.write(builder, node).map((value, i) => (visible.has(node.outputs[i] ?? "") ? halves.toFull(builder, value) : value)),
      );
    },
  });
}

/** Which values have a form in the other type. */
class Halves {
  /** float16 that float32 values were rounded to, by their names. */
  readonly #rounded = new Map<ValueName, Value>();
  /** float32 of float16 values, by their names. */
  readonly #full = new Map<ValueName, Value>();
  /** float16 values by the names of their float32 form. */
  readonly #origin = new Map<ValueName, Value>();
  /** float32 values that may become float16 where they meet it: made of parameters, constants and conditions alone. */
  readonly #light: Set<ValueName>;

  constructor({ constants, state }: Graph) {
    const held = Object.entries(constants).filter(([, value]) => isHeld(value));
    this.#light = new Set([...state, ...held.map(([name]) => ({ name }))].map(({ name }) => name));
  }

  /** Adds the node in the type that suits it, its inputs cast where they have to be. */
  write(builder: GraphBuilder, node: Node): readonly Value[] {
    const inputs = node.inputs.map((name) => (name === "" ? undefined : builder.value(name)));
    const isHalf = this.#suitsHalf(builder, node.operator, inputs);
    const cast = (value: Value): Value => (isHalf ? this.#toHalf(builder, value) : this.toFull(builder, value));
    const outputs = builder.addNode({ ...node, inputs: inputs.map((value) => (value === undefined ? "" : cast(value).name)) });
    if (this.#makesLight(node.operator, inputs)) for (const { name } of outputs) this.#light.add(name);
    return outputs;
  }

  toFull(builder: GraphBuilder, value: Value): Value {
    if (value.dtype !== "float16") return value;
    const known = this.#full.get(value.name);
    if (known !== undefined) return known;
    const full = builder.op("Cast", [value], { to: dtypeCodes.float32 });
    this.#full.set(value.name, full);
    this.#origin.set(full.name, value);
    return full;
  }

  #toHalf(builder: GraphBuilder, value: Value): Value {
    if (value.dtype !== "float32") return value;
    const known = this.#origin.get(value.name) ?? this.#rounded.get(value.name);
    if (known !== undefined) return known;
    const half = builder.op("Cast", [value], { to: dtypeCodes.float16 });
    this.#rounded.set(value.name, half);
    return half;
  }

  #suitsHalf(builder: GraphBuilder, operator: string, inputs: readonly (Value | undefined)[]): boolean {
    const floats = floatsOf(inputs);
    const isSmall = ({ name, dtype }: Value): boolean => dtype === "float16" || this.#origin.has(name);
    if (halved.has(operator)) {
      const fits = (value: Value): boolean => isSmall(value) || builder.constantOf(value.name) === undefined || this.#light.has(value.name);
      return floats.every((value) => value.dtype !== "float64" && fits(value));
    }
    return followers.has(operator) && floats.some(isSmall) && floats.every((value) => isSmall(value) || this.#light.has(value.name));
  }

  #makesLight(operator: string, inputs: readonly (Value | undefined)[]): boolean {
    if (operator === "Cast") return inputs[0]?.dtype === "bool";
    const floats = floatsOf(inputs);
    return followers.has(operator) && floats.length > 0 && floats.every(({ name }) => this.#light.has(name));
  }
}

function floatsOf(inputs: readonly (Value | undefined)[]): readonly Value[] {
  return inputs.filter((value) => value !== undefined && isFloat(value.dtype)) as readonly Value[]; // the filter leaves no undefined
}

/** Whether every number is 0 or within float16's range: -1e9 for a masked place and 1e-7 for an epsilon are not. */
function isHeld(value: Tensor): boolean {
  if (value.dtype !== "float32") return false;
  return toNumbers(value).every((number) => number === 0 || (Math.abs(number) <= largest && Math.abs(number) >= smallest));
}
