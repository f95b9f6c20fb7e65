/** Rows of numbers. */
export type Matrix = readonly (readonly number[])[];

/** How far apart tiles of outputs are: each is as many outputs wide and high. */
export type TileStep = 2 | 4;

/** The matrices of F(step x step, 3x3): y = output (kernel w kernel^T . input x input^T) output^T for each tile x of step + 2 rows and columns. */
export interface Winograd {
  readonly step: TileStep;
  /** step + 2 */
  readonly size: number;
  /** A^T [step, size] */
  readonly output: Matrix;
  /** G [size, 3] */
  readonly kernel: Matrix;
  /** B^T [size, size] */
  readonly input: Matrix;
}

/**
 * Points at which tile and kernel are multiplied as polynomials; the last is infinity. With the usual 1 and 2 the errors of six points are 1e-5 of the
 * largest value, four times as large.
 */
const points: Readonly<Record<TileStep, readonly number[]>> = { 2: [0, 1, -1], 4: [0, Math.SQRT1_2, -Math.SQRT1_2, Math.SQRT2, -Math.SQRT2] };

/**
 * Winograd's minimal filtering by the construction of Cook and Toom: 16 products for 4 outputs of a 3x3 kernel in place of 36, 36 for 16 in place of 144.
 *
 * @see https://arxiv.org/abs/1509.09308 A. Lavin, S. Gray, Fast algorithms for convolutional neural networks
 */
export function winograd(step: TileStep): Winograd {
  const finite = points[step];
  const powers = (point: number, count: number): number[] => Array.from({ length: count }, (_, i) => point ** i);
  const others = (i: number): readonly number[] => finite.filter((_, k) => k !== i);
  const distance = (i: number): number => others(i).reduce((product, other) => product * ((finite[i] ?? 0) - other), 1);
  const infinite = (count: number): number[] => Array.from({ length: count }, (_, i) => (i === count - 1 ? 1 : 0));
  return {
    step,
    size: step + 2,
    output: transpose([...finite.map((point) => powers(point, step)), infinite(step)]),
    kernel: [...finite.map((point, i) => powers(point, 3).map((power) => power / distance(i))), infinite(3)],
    input: [...finite.map((_, i) => [...polynomial(others(i)), 0]), polynomial(finite)],
  };
}

/** Rows as columns. */
export function transpose(matrix: Matrix): Matrix {
  return (matrix[0] ?? []).map((_, i) => matrix.map((row) => row[i] ?? 0));
}

/** The coefficients of the product of x - root, the constant first. */
function polynomial(roots: readonly number[]): number[] {
  const one: number[] = [1];
  return roots.reduce((before, root) => [0].concat(before).map((value, i) => value - root * (before[i] ?? 0)), one);
}
