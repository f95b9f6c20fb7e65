/**
 * A float32 rounded to the nearest float16, ties to even, as float32. WGSL's own `quantizeToF16` may make subnormal results 0, and says nothing of those that
 * are too large.
 *
 * @see https://www.w3.org/TR/WGSL/#quantizeToF16-builtin
 */
export const roundToHalf = `fn roundToHalf(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let size = bits & 0x7fffffffu;
  if (size >= 0x7f800000u) { return x; }
  if (size < 0x38800000u) { return round(x * 16777216.0f) * 5.9604644775390625e-8f; }
  let rounded = (bits + 0xfffu + ((bits >> 13u) & 1u)) & 0xffffe000u;
  return bitcast<f32>(select(rounded, (bits & 0x80000000u) | 0x7f800000u, (rounded & 0x7fffffffu) > 0x477fe000u));
}`;
