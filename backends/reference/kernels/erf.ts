/**
 * The error function, to about 1e-15.
 *
 * Up to |x| = 3 the series 2/sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!!, whose terms are all of one sign, so nothing cancels; beyond, 1
 * minus the continued fraction of erfc.
 * @see https://dlmf.nist.gov/7.6.E2 and https://dlmf.nist.gov/7.9.E1
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x); // erfc(6) is 2e-17
  if (size > 3) return Math.sign(x) * (1 - complement(size));
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n += 1) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** erfc(x) for x > 3: e^(-x^2) / sqrt(pi) times 1 / (x + (1/2) / (x + 1 / (x + (3/2) / (x + ...)))), 40 levels deep. */
function complement(x: number): number {
  let fraction = x;
  for (let level = 40; level >= 1; level -= 1) fraction = x + level / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}
