import { EspalierError } from "../../errors.ts";
import { formula } from "../../operators/formula.ts";
import { matchName } from "../../models/freeze.ts";
import type { Value } from "../../operators/operator.ts";
import { writeAdamW } from "./adam-w.ts";
import { createOptimizer, type OptimizerOptions } from "./create-optimizer.ts";
import type { Optimizer } from "./optimizer.ts";
import { partOf, type GroupContext } from "./parameter-group.ts";
import { checkRange, slots } from "./slots.ts";

/** Keras's argument names and defaults. `weightDecay` is decoupled, for matrices and for the rest; default 0.004. */
export interface MuonOptions extends OptimizerOptions {
  readonly momentum?: number;
  readonly nesterov?: boolean;
  /** Iterations towards the nearest orthogonal matrix; from 1, default 5. */
  readonly nsSteps?: number;
  /** The root mean square of a matrix's step at a rate of 1: about AdamW's, so that both take the same rate. Default 0.2. */
  readonly rmsRate?: number;
  /** Matrices that AdamW updates all the same, `*` stands for any text: embeddings, and best the last layer. Default: names with "embedding". */
  readonly exclude?: readonly string[];
  readonly adamBeta1?: number;
  readonly adamBeta2?: number;
  readonly epsilon?: number;
}

/** The quintic x (a + b x^2 + c x^4) of K. Jordan's report: it brings singular values from near 0 to about 1 in five steps. */
const quintic = [3.4445, -4.775, 2.0315] as const;

/**
 * Momentum whose step is made orthogonal, for matrices; AdamW for everything else.
 *
 * @throws ARGUMENT_INVALID for an argument out of range
 * @see K. Jordan et al., Muon: an optimizer for hidden layers in neural networks (2024), https://kellerjordan.github.io/posts/muon/
 * @see J. Liu et al., Muon is scalable for LLM training (2025)
 */
export function muon({
  learningRate = 0.001,
  momentum = 0.95,
  nesterov = true,
  nsSteps = 5,
  rmsRate = 0.2,
  exclude = ["*embedding*"],
  adamBeta1 = 0.9,
  adamBeta2 = 0.999,
  epsilon = 1e-7,
  ...options
}: MuonOptions = {}): Optimizer {
  checkRange("muon", { epsilon }, Infinity);
  checkRange("muon", { rmsRate }, Infinity, { above: true });
  checkRange("muon", { momentum, adamBeta1, adamBeta2 }, 1);
  if (!(Number.isSafeInteger(nsSteps) && nsSteps >= 1 && nsSteps < 100)) {
    throw new EspalierError("ARGUMENT_INVALID", `muon: nsSteps must be a whole number from 1 to 99, not ${nsSteps}`, { nsSteps });
  }
  const excluded = exclude.map(matchName);
  const isMatrix = ({ name, shape }: Value): boolean => shape.length === 2 && !excluded.some((test) => test(name));
  return createOptimizer({
    name: "muon",
    learningRate,
    weightDecay: options.weightDecay ?? 0.004,
    config: { momentum, nesterov, nsSteps, rmsRate, exclude, adamBeta1, adamBeta2, epsilon },
    options,
    write(group) {
      const [matrices, rest] = [partOf(group, isMatrix), partOf(group, (x) => !isMatrix(x))];
      const velocities = slots(group.builder, "muon/v", matrices.parameters);
      matrices.parameters.forEach((x, i) => {
        const { builder, learningRate: rate, weightDecay } = group;
        const { add, mul, sub } = formula(builder);
        const [g, v] = [matrices.gradients[i], velocities[i]] as [Value, Value]; // the lists run in parallel
        const nextV = add(mul(v, momentum), g);
        const direction = orthogonal(builder, nesterov ? add(g, mul(nextV, momentum)) : nextV, nsSteps);
        const size = mul(rate, rmsRate * Math.sqrt(Math.max(...x.shape.map(Number))));
        const kept = weightDecay === 0 ? x : mul(x, sub(1, mul(rate, weightDecay)));
        builder.update(x.name, sub(kept, mul(direction, size)));
        builder.update(v.name, nextV);
      });
      if (rest.parameters.length > 0) writeAdamW(rest, { beta1: adamBeta1, beta2: adamBeta2, epsilon });
    },
  });
}

/** Newton-Schulz: a matrix with the same singular vectors and singular values near 1. */
function orthogonal(builder: GroupContext["builder"], matrix: Value, iterations: number): Value {
  const { add, mul, div, sqrt, square, sum } = formula(builder);
  const flip = (value: Value): Value => builder.op("Transpose", [value], { perm: [1, 0] });
  const product = (left: Value, right: Value): Value => builder.op("MatMul", [left, right]);
  const [rows, columns] = matrix.shape.map(Number) as [number, number]; // it is a matrix
  const wide = rows > columns ? flip(matrix) : matrix; // the smaller Gram matrix
  let x = div(wide, add(sqrt(sum(square(wide))), 1e-7));
  for (let i = 0; i < iterations; i++) {
    const gram = product(x, flip(x));
    const polynomial = add(mul(gram, quintic[1]), mul(product(gram, gram), quintic[2]));
    x = add(mul(x, quintic[0]), product(polynomial, x));
  }
  return rows > columns ? flip(x) : x;
}
