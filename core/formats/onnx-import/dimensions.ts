import { EspalierError } from "../../errors.ts";
import type { Dimension } from "../../graph/graph.ts";
import { suggestNames } from "../../nearest.ts";
import type { OnnxDimension, OnnxValue } from "../onnx-model.ts";

/** Sizes of symbolic dimensions by name; "batch" keeps one symbolic. */
export type Dimensions = Readonly<Record<string, Dimension>>;

/**
 * The shapes of a model's inputs with every symbol replaced: by its given size, or by "batch" for the one that stays.
 *
 * @throws ARGUMENT_INVALID naming all symbols without a size, or an option that names no symbol of the model
 */
export function resolveShapes(inputs: readonly OnnxValue[], given: Dimensions): ReadonlyMap<string, readonly Dimension[]> {
  const named = inputs.map((input) => ({ name: input.name, shape: namedDimensions(input) }));
  const symbols = new Set(named.flatMap(({ shape }) => shape.filter((size) => typeof size === "string")));
  checkGiven(given, symbols);
  const isGiven = (symbol: string): boolean => Object.hasOwn(given, symbol);
  const hasBatch = Object.entries(given).some(([symbol, size]) => size === "batch" && symbols.has(symbol));
  const batch = hasBatch ? undefined : batchSymbol(named, isGiven);
  const open = [...symbols].filter((symbol) => symbol !== batch && !isGiven(symbol));
  if (open.length > 0) {
    const places = named.flatMap(({ name, shape }) =>
      shape.flatMap((size, axis) => (open.includes(String(size)) ? [`"${size}" (axis ${axis} of "${name}")`] : [])),
    );
    const example = open.map((symbol) => `"${symbol}": 1`).join(", ");
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `importOnnx: one dimension may stay symbolic, ${batch === undefined ? "and it is given" : `here "${batch}"`}, but so are ${places.join(", ")}; give sizes: dimensions: { ${example} }`,
      { batch, open },
    );
  }
  const sizeOf = (size: OnnxDimension): Dimension => (typeof size === "number" ? size : size === batch ? "batch" : (given[size] ?? 1));
  return new Map(named.map(({ name, shape }) => [name, shape.map(sizeOf)]));
}

interface NamedInput {
  readonly name: string;
  readonly shape: readonly OnnxDimension[];
}

/** The symbol that is called so, or stands on a first axis, or is the only one without a size. */
function batchSymbol(inputs: readonly NamedInput[], isGiven: (symbol: string) => boolean): OnnxDimension | undefined {
  const open = inputs.flatMap(({ shape }) => shape).filter((size) => typeof size === "string" && !isGiven(size));
  if (open.includes("batch")) return "batch";
  const first = inputs.map(({ shape }) => shape[0]).find((size) => size !== undefined && open.includes(size));
  return first ?? (new Set(open).size === 1 ? open[0] : undefined);
}

/** An input's dimensions, those without a name called by input and axis. */
function namedDimensions({ name, shape }: OnnxValue): readonly OnnxDimension[] {
  if (shape !== undefined) return shape.map((size, axis) => (size === "" ? `${name}.${axis}` : size));
  throw new EspalierError(
    "FORMAT_UNSUPPORTED",
    `importOnnx: input "${name}" has no shape, not even a number of dimensions; infer shapes first, as onnx.shape_inference does`,
    {
      input: name,
    },
  );
}

function checkGiven(given: Dimensions, symbols: ReadonlySet<string>): void {
  for (const [symbol, size] of Object.entries(given)) {
    if (!symbols.has(symbol)) {
      throw new EspalierError("ARGUMENT_INVALID", `importOnnx: the model has no dimension "${symbol}"${suggestNames(symbol, [...symbols])}`, {
        dimension: symbol,
      });
    }
    if (size !== "batch" && !(Number.isSafeInteger(size) && size >= 1)) {
      throw new EspalierError("ARGUMENT_INVALID", `importOnnx: dimension "${symbol}" must be a whole number from 1 or "batch", not ${size}`, {
        dimension: symbol,
        size,
      });
    }
  }
}
