/**
 * WGSL: log(1 + x), also for small x. The built-in log may be off by 5e-7 near 1, which is everything that is left of a small loss.
 *
 * With s = x / (2 + x), log(1 + x) = 2 atanh(s) = 2 (s + s^3 / 3 + s^5 / 5 + ...).
 * @see https://www.w3.org/TR/WGSL/#floating-point-accuracy
 */
export const logOnePlus: string = `fn logOnePlus(x: f32) -> f32 {
  if (abs(x) > 0.4f) { return log(1.0f + x); }
  let s = x / (2.0f + x);
  let q = s * s;
  return 2.0f * s * (1.0f + q * (0.3333333333f + q * (0.2f + q * (0.1428571429f + q * (0.1111111111f + q * 0.0909090909f)))));
}`;
