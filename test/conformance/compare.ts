import { formatShape, toNumbers, type Tensor, type Tensors } from "../../core/index.ts";

/** How far a result may be from the expected one: |a - b| <= tolerance * max |expected|. Whole numbers and bools must be equal. */
export interface CompareOptions {
  readonly tolerance: number;
  /** What is compared, for the message. */
  readonly what: string;
}

/**
 * Compares all tensors of two runs.
 *
 * @throws Error naming the tensor, the worst element, both values and the tolerance
 */
export function compareTensors(given: Tensors, expected: Tensors, { tolerance, what }: CompareOptions): void {
  const [names, wanted] = [Object.keys(given).toSorted(), Object.keys(expected).toSorted()];
  if (names.join() !== wanted.join()) throw new Error(`${what}: outputs are ${names.join(", ")}, not ${wanted.join(", ")}`);
  for (const [name, tensor] of Object.entries(expected)) compareTensor(given[name] as Tensor, tensor, { tolerance, what: `${what}, ${name}` });
}

/** Compares one tensor. NaN and infinities must be in the same places. @throws Error */
export function compareTensor(given: Tensor, expected: Tensor, { tolerance, what }: CompareOptions): void {
  const types = [given, expected].map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`);
  if (types[0] !== types[1]) throw new Error(`${what}: is ${types[0]}, not ${types[1]}`);
  const [a, b] = [toNumbers(given), toNumbers(expected)];
  if (a.length !== b.length) throw new Error(`${what}: holds ${a.length} elements, not ${b.length}`);
  const exact = !expected.dtype.startsWith("float");
  const largest = b.reduce((size, value) => (Number.isFinite(value) ? Math.max(size, Math.abs(value)) : size), 0);
  const bound = exact ? 0 : tolerance * (largest === 0 ? 1 : largest);
  let worst = -1;
  let worstError = bound;
  for (let i = 0; i < b.length; i += 1) {
    const error = difference(a[i] ?? Number.NaN, b[i] ?? Number.NaN);
    if (error > worstError) [worst, worstError] = [i, error];
  }
  if (worst < 0) return;
  throw new Error(
    `${what} ${formatShape(expected.shape)}: element ${worst} is ${a[worst]}, not ${b[worst]}; off by ${worstError}, allowed ${bound} ` +
      `(${exact ? "exact" : `${tolerance} of the largest, ${largest}`})`,
  );
}

function difference(a: number, b: number): number {
  if (Object.is(a, b) || a === b) return 0;
  if (Number.isFinite(a) && Number.isFinite(b)) return Math.abs(a - b);
  return Number.isNaN(a) && Number.isNaN(b) ? 0 : Infinity;
}
