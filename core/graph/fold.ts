import { power } from "../operators/powers.ts";
import { isFloat } from "../operators/shapes.ts";
import { allocate, elementCount, toNumbers, type DType, type Tensor } from "../tensor.ts";
import { foldMovement } from "./fold-movement.ts";
import type { Node, ValueType } from "./graph.ts";

/** Results larger than this are not folded: they would make the graph bigger than the work they save. */
const maxElements = 1024;

/**
 * Computes a node whose inputs are all small constants: the arithmetic of sizes, counts and coefficients.
 *
 * Not an executor: of most operators it knows nothing, and where a result would not be exact (a whole number beyond 2^53, a division by zero) it declines.
 * @returns the output, or undefined when the node is left as it is
 */
export function fold(node: Node, inputs: readonly (Tensor | undefined)[], type: ValueType): Tensor | undefined {
  const shape = type.shape.filter((size) => size !== "batch");
  const { dtype } = type;
  if (dtype === "string" || shape.length !== type.shape.length || elementCount(shape) > maxElements) return undefined;
  const known = inputs.filter((input) => input !== undefined);
  if (known.length !== inputs.length || known.some((input) => input.dtype === "string" || elementCount(input.shape) > maxElements)) return undefined;
  const [first] = known;
  if (first === undefined) return undefined;
  if (views.has(node.operator)) return { dtype, shape, data: first.data };
  if (node.operator === "Cast")
    return store(
      dtype,
      shape,
      toNumbers(first).map((value) => castNumber(value, dtype)),
    );
  if (node.operator === "Expand") return store(dtype, shape, spread(first, shape));
  if (node.operator === "Where") {
    const [condition, a, b] = known.map((input) => spread(input, shape));
    return store(
      dtype,
      shape,
      (condition ?? []).map((chosen, i) => (chosen ? a : b)?.[i] ?? NaN),
    );
  }
  const moved = foldMovement(node, known, shape);
  if (moved !== undefined) return store(dtype, shape, moved);
  const one = unary[node.operator];
  if (one !== undefined && known.length === 1) return store(dtype, shape, toNumbers(first).map(one));
  const two = binary[node.operator];
  const second = known[1];
  if (two === undefined || second === undefined || known.length !== 2) return undefined;
  const right = spread(second, shape);
  const whole = !isFloat(dtype) && dtype !== "bool";
  const divides = node.operator === "Div" || node.operator === "Mod";
  if (whole && (node.operator === "Pow" || (divides && right.includes(0)))) return undefined;
  if (node.operator === "Mod" && node.attributes["fmod"] === 1) return undefined;
  const values = spread(first, shape).map((value, i) => two(value, right[i] ?? NaN));
  return store(dtype, shape, whole ? values.map(Math.trunc) : values);
}

const views: ReadonlySet<string> = new Set(["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"]);

const unary: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Abs: Math.abs,
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
  Exp: Math.exp,
  Log: Math.log,
  Tanh: Math.tanh,
  Floor: Math.floor,
  Ceil: Math.ceil,
  Sign: Math.sign,
  Not: (x) => Number(x === 0),
};

const binary: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: power,
  Max: Math.max,
  Min: Math.min,
  Equal: (a, b) => Number(a === b),
  Less: (a, b) => Number(a < b),
  LessOrEqual: (a, b) => Number(a <= b),
  Greater: (a, b) => Number(a > b),
  GreaterOrEqual: (a, b) => Number(a >= b),
  And: (a, b) => Number(a !== 0 && b !== 0),
  Or: (a, b) => Number(a !== 0 || b !== 0),
  Xor: (a, b) => Number((a !== 0) !== (b !== 0)),
  Mod: (a, b) => a - b * Math.floor(a / b),
};

function castNumber(value: number, dtype: DType): number {
  if (dtype === "bool") return Number(value !== 0);
  return isFloat(dtype) ? value : Math.trunc(value);
}

/** A tensor's elements as broadcasting lays them out in `shape`. */
function spread(value: Tensor, shape: readonly number[]): number[] {
  const numbers = toNumbers(value);
  const extra = shape.length - value.shape.length;
  return Array.from({ length: elementCount(shape) }, (_, flat) => {
    let rest = flat;
    let index = 0;
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      const place = rest % (shape[axis] ?? 1);
      rest = Math.floor(rest / (shape[axis] ?? 1));
      const size = axis < extra ? 1 : (value.shape[axis - extra] ?? 1);
      index += (size === 1 ? 0 : place) * stride;
      stride *= size;
    }
    return numbers[index] ?? NaN;
  });
}

function store(dtype: Exclude<DType, "string">, shape: readonly number[], values: readonly number[]): Tensor | undefined {
  const data = allocate(dtype, values.length);
  if (dtype === "float16" || dtype === "float32" || dtype === "float64" || dtype === "bool") {
    values.forEach((value, i) => (data[i] = value));
    return { dtype, shape, data };
  }
  const limit = { int32: 2 ** 31 - 1, uint8: 255, int64: Number.MAX_SAFE_INTEGER }[dtype];
  const lowest = dtype === "uint8" ? 0 : -limit;
  if (!values.every((value) => Number.isInteger(value) && value >= lowest && value <= limit)) return undefined;
  values.forEach((value, i) => (data[i] = data instanceof BigInt64Array ? BigInt(value) : value));
  return { dtype, shape, data };
}
