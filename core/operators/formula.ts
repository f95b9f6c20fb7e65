import type { Emitter, Value } from "./operator.ts";

/** An operand of a formula: a value, or a number of the other operand's element type. */
export type Operand = Value | number;

/** Formulas over values as functions: `add(mul(x, 0.9), y)`. Sizes are broadcast. */
export interface Formula {
  readonly add: (a: Operand, b: Operand) => Value;
  readonly sub: (a: Operand, b: Operand) => Value;
  readonly mul: (a: Operand, b: Operand) => Value;
  readonly div: (a: Operand, b: Operand) => Value;
  readonly max: (a: Operand, b: Operand) => Value;
  readonly min: (a: Operand, b: Operand) => Value;
  readonly square: (a: Value) => Value;
  readonly sqrt: (a: Value) => Value;
  readonly abs: (a: Value) => Value;
  readonly sign: (a: Value) => Value;
  readonly neg: (a: Value) => Value;
  readonly exp: (a: Value) => Value;
  readonly log: (a: Value) => Value;
  /** Where `a` is greater than `b`: a condition for `where`. */
  readonly greater: (a: Operand, b: Operand) => Value;
  readonly where: (condition: Value, a: Operand, b: Operand) => Value;
  /** Over the axes, which are left out of the result; over all of them when none are named. */
  readonly sum: (a: Value, axes?: readonly number[]) => Value;
  /** As `sum`. */
  readonly mean: (a: Value, axes?: readonly number[]) => Value;
}

/** Functions that write operators with an emitter. Adding 0 and multiplying by 1 write nothing. */
export function formula(emit: Emitter): Formula {
  const binary = (operator: string, a: Operand, b: Operand): Value => {
    const [left, right] = valuesOf(emit, a, b);
    return emit.op(operator, [left, right]);
  };
  const reduce = (operator: string, a: Value, axes: readonly number[] | undefined): Value =>
    emit.op(operator, axes === undefined ? [a] : [a, emit.ints(axes)], { keepdims: 0 });
  const mul = (a: Operand, b: Operand): Value => {
    if (typeof a !== "number" && b === 1) return a;
    return a === 1 && typeof b !== "number" ? b : binary("Mul", a, b);
  };
  return {
    add: (a, b) => (typeof a !== "number" && b === 0 ? a : binary("Add", a, b)),
    sub: (a, b) => (typeof a !== "number" && b === 0 ? a : binary("Sub", a, b)),
    mul,
    div: (a, b) => (typeof a !== "number" && b === 1 ? a : binary("Div", a, b)),
    max: (a, b) => binary("Max", a, b),
    min: (a, b) => binary("Min", a, b),
    square: (a) => emit.op("Mul", [a, a]),
    sqrt: (a) => emit.op("Sqrt", [a]),
    abs: (a) => emit.op("Abs", [a]),
    sign: (a) => emit.op("Sign", [a]),
    neg: (a) => emit.op("Neg", [a]),
    exp: (a) => emit.op("Exp", [a]),
    log: (a) => emit.op("Log", [a]),
    greater: (a, b) => binary("Greater", a, b),
    where(condition, a, b) {
      const [yes, no] = valuesOf(emit, a, b);
      return emit.op("Where", [condition, yes, no]);
    },
    sum: (a, axes) => reduce("ReduceSum", a, axes),
    mean: (a, axes) => reduce("ReduceMean", a, axes),
  };
}

/** Both operands as values; of two numbers, both are float32. */
function valuesOf(emit: Emitter, a: Operand, b: Operand): readonly [Value, Value] {
  const dtype = typeof a === "number" ? (typeof b === "number" ? "float32" : b.dtype) : a.dtype;
  const value = (operand: Operand): Value => (typeof operand === "number" ? emit.scalar(operand, dtype) : operand);
  return [value(a), value(b)];
}
