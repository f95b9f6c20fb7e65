import { EspalierError } from "../errors.ts";
import type { Random } from "../random.ts";
import { elementCount } from "../tensor.ts";

/** What an initialiser of one's own sees. */
export interface InitializerContext {
  readonly shape: readonly number[];
  readonly fanIn: number;
  readonly fanOut: number;
  /** Seeded by the model's seed and the parameter's name alone: other layers never shift it. */
  readonly random: Random;
}

/** The names that Keras gives its initialisers, in camel case. */
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
  | "randomUniform";

/** First values of a parameter: by name, one number everywhere, or a function that returns all elements in row-major order. */
export type Initializer = InitializerName | { readonly constant: number } | ((context: InitializerContext) => Float32Array);

/**
 * The first values of one parameter.
 *
 * The normal ones are cut at two standard deviations and widened to keep their variance, and `randomNormal` and `randomUniform` have
 * Keras's defaults (standard deviation 0.05, range +-0.05).
 *
 * @throws ARGUMENT_INVALID for an unknown name, or a function that returns another number of elements
 * @see X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural networks (2010)
 * @see K. He et al., Delving deep into rectifiers (2015)
 */
export function initialize(initializer: Initializer, context: InitializerContext): Float32Array<ArrayBuffer> {
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
  if (typeof initializer === "object") return new Float32Array(count).fill(initializer.constant);
  return Float32Array.from({ length: count }, draw(initializer, context));
}

function draw(name: InitializerName, { fanIn, fanOut, random }: InitializerContext): () => number {
  const glorot = 2 / (fanIn + fanOut);
  switch (name) {
    case "zeros":
      return () => 0;
    case "ones":
      return () => 1;
    case "glorotUniform":
      return uniform(random, glorot);
    case "glorotNormal":
      return truncatedNormal(random, glorot);
    case "heUniform":
      return uniform(random, 2 / fanIn);
    case "heNormal":
      return truncatedNormal(random, 2 / fanIn);
    case "lecunUniform":
      return uniform(random, 1 / fanIn);
    case "lecunNormal":
      return truncatedNormal(random, 1 / fanIn);
    case "randomNormal":
      return () => 0.05 * random.normal();
    case "randomUniform":
      return () => random.uniform(-0.05, 0.05);
    default: {
      const unknown: never = name;
      throw new EspalierError(
        "ARGUMENT_INVALID",
        `no initialiser "${String(unknown)}"; there are zeros, ones, glorot-, he- and lecun- with Uniform or Normal, randomNormal, randomUniform`,
        {
          initializer: unknown,
        },
      );
    }
  }
}

/** Uniform with a given variance: the range +-a has variance a^2 / 3. */
function uniform(random: Random, variance: number): () => number {
  const limit = Math.sqrt(3 * variance);
  return () => random.uniform(-limit, limit);
}

/** The standard deviation of a normal distribution cut at +-2. */
const truncatedDeviation = 0.879_625_661_034_239_8;

function truncatedNormal(random: Random, variance: number): () => number {
  const deviation = Math.sqrt(variance) / truncatedDeviation;
  return () => {
    for (;;) {
      const value = random.normal();
      if (Math.abs(value) <= 2) return deviation * value;
    }
  };
}
