import { EspalierError } from "../errors.ts";
import type { Random } from "../random.ts";
import { elementCount } from "../tensor.ts";
import { checkChoice, checkNames, suggestNames } from "../nearest.ts";
import { checkNumber } from "./argument.ts";

/** What an initialiser of one's own sees. */
export interface InitializerContext {
  readonly shape: readonly number[];
  readonly fanIn: number;
  readonly fanOut: number;
  /** How many rows the parameter has as a matrix; by default the product of all sizes but the last. */
  readonly rows?: number | undefined;
  /** Seeded by the model's seed and the parameter's name alone: other layers never shift it. */
  readonly random: Random;
}

/** The names that Keras gives its initialisers, in camel case; `uniform` and `normal` are short for the random ones. */
export type InitializerName =
  | "zeros"
  | "ones"
  | "glorotUniform"
  | "glorotNormal"
  | "heUniform"
  | "heNormal"
  | "lecunUniform"
  | "lecunNormal"
  | "randomNormal"
  | "normal"
  | "randomUniform"
  | "uniform"
  | "truncatedNormal"
  | "varianceScaling"
  | "orthogonal"
  | "identity";

/** An initialiser with arguments of its own; those left out are Keras's. */
export type InitializerConfig =
  | { readonly kind: "randomNormal" | "truncatedNormal"; /** Default 0. */ readonly mean?: number; /** Default 0.05. */ readonly stddev?: number }
  | { readonly kind: "randomUniform"; /** Default -0.05. */ readonly minval?: number; /** Default 0.05. */ readonly maxval?: number }
  | {
      readonly kind: "varianceScaling";
      /** Of the variance; default 1. */
      readonly scale?: number;
      /** What divides it; default fanIn. */
      readonly mode?: "fanIn" | "fanOut" | "fanAvg";
      readonly distribution?: "truncatedNormal" | "untruncatedNormal" | "uniform";
    }
  | { readonly kind: "orthogonal" | "identity"; /** Default 1. */ readonly gain?: number };

/** First values of a parameter: by name, by name and arguments, one number everywhere, or a function that returns all elements in row-major order. */
export type Initializer = InitializerName | InitializerConfig | { readonly constant: number } | ((context: InitializerContext) => Float32Array);

/**
 * The first values of one parameter.
 *
 * Glorot, He and LeCun are variance scalings; the normal ones are cut at two standard deviations and widened to keep their variance.
 * `orthogonal` and `identity` are of matrices.
 *
 * @throws ARGUMENT_INVALID for an unknown name or a number out of range, or a function that returns another number of elements
 * @see https://keras.io/api/layers/initializers/
 * @see X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural networks (2010)
 * @see K. He et al., Delving deep into rectifiers (2015)
 */
export function initialize(initializer: Initializer, context: InitializerContext): Float32Array<ArrayBuffer> {
  checkInitializer("initializer", initializer);
  const count = elementCount(context.shape);
  if (typeof initializer === "function") {
    const values = initializer(context);
    if (values.length !== count) {
      throw new EspalierError(
        "ARGUMENT_INVALID",
        `an initialiser returned ${values.length} values for shape [${context.shape.join(", ")}], which takes ${count}`,
        {
          shape: context.shape,
        },
      );
    }
    return Float32Array.from(values);
  }
  if (typeof initializer === "object" && "constant" in initializer) return new Float32Array(count).fill(initializer.constant);
  const config = typeof initializer === "object" ? initializer : byName[initializer];
  switch (config.kind) {
    case "constant":
      return new Float32Array(count).fill(config.value);
    case "orthogonal":
      return orthogonalMatrix(context, config.gain ?? 1);
    case "identity":
      return identityMatrix(context, config.gain ?? 1);
    case "randomNormal":
    case "randomUniform":
    case "truncatedNormal":
    case "varianceScaling":
      return drawn(count, draw(config, context));
    default:
      return config satisfies never;
  }
}

/** @throws ARGUMENT_INVALID, with the nearest name, unless `initialize` knows it */
export function checkInitializer(where: string, initializer: Initializer): void {
  if (typeof initializer === "function") return;
  if (typeof initializer === "object" && initializer !== null && "constant" in initializer) {
    checkNumber(where, "constant", initializer.constant);
    return;
  }
  const kind: unknown = typeof initializer === "object" && initializer !== null ? initializer.kind : initializer;
  if (!Object.hasOwn(byName, String(kind))) {
    throw new EspalierError("ARGUMENT_INVALID", `${where}: no initialiser "${String(kind)}"${suggestNames(String(kind), Object.keys(byName))}`, {
      initializer: kind,
    });
  }
  if (typeof initializer === "string") return;
  const { kind: name, ...numbers } = initializer;
  checkNames(`${where}: ${name}`, numbers, argumentsOf[name]);
  for (const [name, value] of Object.entries(numbers)) {
    if (name === "mode") checkChoice(where, name, String(value), ["fanIn", "fanOut", "fanAvg"]);
    else if (name === "distribution") checkChoice(where, name, String(value), ["truncatedNormal", "untruncatedNormal", "uniform"]);
    else checkNumber(where, name, typeof value === "number" ? value : NaN, name === "stddev" || name === "scale" ? { from: 0 } : {});
  }
}

const argumentsOf: Readonly<Record<InitializerConfig["kind"], readonly string[]>> = {
  randomNormal: ["mean", "stddev"],
  truncatedNormal: ["mean", "stddev"],
  randomUniform: ["minval", "maxval"],
  varianceScaling: ["scale", "mode", "distribution"],
  orthogonal: ["gain"],
  identity: ["gain"],
};

type Config = InitializerConfig | { readonly kind: "constant"; readonly value: number };

const byName: Readonly<Record<InitializerName, Config>> = {
  zeros: { kind: "constant", value: 0 },
  ones: { kind: "constant", value: 1 },
  glorotUniform: { kind: "varianceScaling", scale: 1, mode: "fanAvg", distribution: "uniform" },
  glorotNormal: { kind: "varianceScaling", scale: 1, mode: "fanAvg" },
  heUniform: { kind: "varianceScaling", scale: 2, distribution: "uniform" },
  heNormal: { kind: "varianceScaling", scale: 2 },
  lecunUniform: { kind: "varianceScaling", scale: 1, distribution: "uniform" },
  lecunNormal: { kind: "varianceScaling", scale: 1 },
  randomNormal: { kind: "randomNormal" },
  normal: { kind: "randomNormal" },
  randomUniform: { kind: "randomUniform" },
  uniform: { kind: "randomUniform" },
  truncatedNormal: { kind: "truncatedNormal" },
  varianceScaling: { kind: "varianceScaling" },
  orthogonal: { kind: "orthogonal" },
  identity: { kind: "identity" },
};

function drawn(count: number, next: () => number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 1) values[i] = next(); // three times as fast as Float32Array.from with a function
  return values;
}

function draw(
  config: Exclude<Config, { kind: "constant" | "orthogonal" | "identity" }>,
  { fanIn, fanOut, random }: InitializerContext,
): () => number {
  switch (config.kind) {
    case "randomNormal":
      return () => (config.mean ?? 0) + (config.stddev ?? 0.05) * random.normal();
    case "truncatedNormal":
      return () => (config.mean ?? 0) + (config.stddev ?? 0.05) * cutNormal(random);
    case "randomUniform":
      return () => random.uniform(config.minval ?? -0.05, config.maxval ?? 0.05);
    case "varianceScaling": {
      const { scale = 1, mode = "fanIn", distribution = "truncatedNormal" } = config;
      const variance = scale / Math.max({ fanIn, fanOut, fanAvg: (fanIn + fanOut) / 2 }[mode], 1);
      if (distribution === "uniform") return uniform(random, variance);
      const deviation = Math.sqrt(variance);
      if (distribution === "untruncatedNormal") return () => deviation * random.normal();
      return () => (deviation / truncatedDeviation) * cutNormal(random);
    }
    default:
      return config satisfies never;
  }
}

/** Uniform with a given variance: the range +-a has variance a^2 / 3. */
function uniform(random: Random, variance: number): () => number {
  const limit = Math.sqrt(3 * variance);
  return () => random.uniform(-limit, limit);
}

/** The standard deviation of a normal distribution cut at +-2. */
const truncatedDeviation = 0.879_625_661_034_239_8;

/** A normal number within two standard deviations. */
function cutNormal(random: Random): number {
  for (;;) {
    const value = random.normal();
    if (Math.abs(value) <= 2) return value;
  }
}

/** The parameter's rows and columns as a matrix. */
function matrixSizes({ shape, rows }: InitializerContext): readonly [rows: number, columns: number] {
  if (shape.length < 2) {
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `initializer: orthogonal and identity are of parameters with two or more dimensions, not [${shape.join(", ")}]`,
      { shape },
    );
  }
  const count = rows ?? elementCount(shape.slice(0, -1));
  return [count, elementCount(shape) / count];
}

/** Rows (or columns, whichever are fewer) of length `gain`, at right angles to each other: normal numbers, made orthogonal by Gram and Schmidt, twice. */
function orthogonalMatrix(context: InitializerContext, gain: number): Float32Array<ArrayBuffer> {
  const [rows, columns] = matrixSizes(context);
  const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
  const vectors: Float64Array[] = [];
  while (vectors.length < count) {
    const vector = Float64Array.from({ length }, () => context.random.normal());
    const size = Math.sqrt(dotProduct(vector, vector));
    // One pass loses orthogonality where a vector is nearly in the span of the others; a second restores it to the last bit.
    for (let pass = 0; pass < 2; pass += 1) {
      for (const other of vectors) {
        const along = dotProduct(vector, other);
        for (let i = 0; i < length; i += 1) vector[i] = vector[i]! - along * other[i]!; // both have `length` elements
      }
    }
    const norm = Math.sqrt(dotProduct(vector, vector));
    if (norm < 1e-8 * size) continue; // drawn inside the span of the others: draw again
    vectors.push(vector.map((value) => value / norm));
  }
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return gain * (rows <= columns ? vectors[row]![column]! : vectors[column]![row]!); // as many vectors as the shorter side
  });
}

function dotProduct(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0); // of one length
}

function identityMatrix(context: InitializerContext, gain: number): Float32Array<ArrayBuffer> {
  const [rows, columns] = matrixSizes(context);
  return Float32Array.from({ length: rows * columns }, (_, i) => (Math.floor(i / columns) === i % columns ? gain : 0));
}
