/** WGSL: e^x - 1, also for small x, where the built-in exp leaves nothing: the gradient of a label that is nearly certain, Adam's first steps. */
export const exponentialMinusOne: string = `fn exponentialMinusOne(x: f32) -> f32 {
  if (abs(x) > 0.35f) { return exp(x) - 1.0f; }
  return x * (1.0f + x * 0.5f * (1.0f + x * 0.3333333333f * (1.0f + x * 0.25f * (1.0f + x * 0.2f * (1.0f + x * 0.1666666667f * (1.0f + x * 0.1428571429f))))));
}`;
