import { asNumber, zerosLike } from "./gradients.ts";
import type { GradientContext, Value } from "./operator.ts";

/** How an operator that writes at places reads and writes there. */
export interface ScatterPlaces {
  /** `updates` written into `data` by a reduction. */
  readonly scatter: (data: Value, updates: Value, reduction: string) => Value;
  /** The elements of `data` that the updates met. */
  readonly gather: (data: Value) => Value;
}

/** The reductions of ScatterElements and ScatterND. */
export const scatterReductions: readonly string[] = ["none", "add", "mul", "min", "max"];

/** Gradients of [data, indices, updates] for an operator that scatters `updates` into `data`. */
export function scatterGradients(context: GradientContext, { scatter, gather }: ScatterPlaces): readonly (Value | undefined)[] {
  const [dy] = context.gradients;
  if (dy === undefined) return [];
  const { emit, input, needs } = context;
  const updates = input(2);
  const either = (data: () => Value, update: () => Value): readonly (Value | undefined)[] => [
    needs(0) ? data() : undefined,
    undefined,
    needs(2) ? update() : undefined,
  ];
  switch (context.attributes.string("reduction")) {
    case "none":
      return either(
        () => scatter(dy, zerosLike(emit, updates), "none"),
        () => gather(dy),
      );
    case "add":
      return either(
        () => dy,
        () => gather(dy),
      );
    case "mul":
      return gradientsOfProduct(context, dy, { scatter, gather });
    default:
      return gradientsOfExtreme(context, dy, { scatter, gather });
  }
}

/** dy times the product of all other factors of the same element: as in ReduceProd, zeros are counted apart. */
function gradientsOfProduct({ emit, input, needs }: GradientContext, dy: Value, { scatter, gather }: ScatterPlaces): readonly (Value | undefined)[] {
  const [data, updates] = [input(0), input(2)];
  const zero = emit.scalar(0, dy.dtype);
  const one = emit.scalar(1, dy.dtype);
  const isZero = (value: Value): Value => emit.op("Equal", [value, zero]);
  const nonzero = (value: Value): Value => emit.op("Where", [isZero(value), one, value]);
  const product = scatter(nonzero(data), nonzero(updates), "mul");
  const zeros = scatter(asNumber(emit, isZero(data), dy), asNumber(emit, isZero(updates), dy), "add");
  const among = (count: Value): Value => emit.op("Mul", [dy, emit.op("Where", [emit.op("Equal", [zeros, count]), product, zero])]);
  const share = (factor: Value, read: (value: Value) => Value): Value =>
    emit.op("Where", [isZero(factor), read(among(one)), emit.op("Div", [read(among(zero)), nonzero(factor)])]);
  return [needs(0) ? share(data, (value) => value) : undefined, undefined, needs(2) ? share(updates, gather) : undefined];
}

/** The largest (or smallest) takes the gradient; equal ones share it evenly. */
function gradientsOfExtreme(context: GradientContext, dy: Value, { scatter, gather }: ScatterPlaces): readonly (Value | undefined)[] {
  const { emit, input, needs, outputs } = context;
  const y = outputs[0] ?? dy;
  const wins = asNumber(emit, emit.op("Equal", [input(0), y]), dy);
  const updateWins = asNumber(emit, emit.op("Equal", [input(2), gather(y)]), dy);
  const share = emit.op("Div", [dy, scatter(wins, updateWins, "add")]);
  return [needs(0) ? emit.op("Mul", [wins, share]) : undefined, undefined, needs(2) ? emit.op("Mul", [updateWins, gather(share)]) : undefined];
}
