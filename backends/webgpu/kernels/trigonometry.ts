import { helped, type ElementRule } from "./element-rule.ts";
import { logOnePlus } from "./log-one-plus.ts";

// The built-in functions promise 11 bits and less; these keep float32's digits up to angles of some ten thousand.

/** The quarter turn that x lies in, and the rest, at most pi/4 of either sign: pi/2 is taken off in three parts (Cody and Waite). */
const quarter = `fn quarterTurn(x: f32) -> vec2<f32> {
  let k = round(x * 0.63661977236f);
  return vec2<f32>(((x - k * 1.5703125f) - k * 4.837512969970703e-4f) - k * 7.549789948768648e-8f, k);
}`;

/** Taylor's polynomials for |r| <= pi/4: to 2e-9 and 3e-8. */
const sineOfQuarter = `fn sineOfQuarter(r: f32) -> f32 {
  let s = r * r;
  return r * (1.0f + s * (-0.1666666667f + s * (8.333333333e-3f + s * (-1.984126984e-4f + s * 2.755731922e-6f))));
}`;
const cosineOfQuarter = `fn cosineOfQuarter(r: f32) -> f32 {
  let s = r * r;
  return 1.0f + s * (-0.5f + s * (0.04166666667f + s * (-1.388888889e-3f + s * 2.480158730e-5f)));
}`;

const sineOfTurn = `fn sineOfTurn(turn: vec2<f32>, ahead: i32) -> f32 {
  let place = (i32(turn.y) + ahead) & 3i;
  let value = select(sineOfQuarter(turn.x), cosineOfQuarter(turn.x), (place & 1i) == 1i);
  return select(value, -value, place >= 2i);
}`;

const turns = [quarter, sineOfQuarter, cosineOfQuarter, sineOfTurn];
const sine = "fn sine(x: f32) -> f32 { return sineOfTurn(quarterTurn(x), 0i); }";
const cosine = "fn cosine(x: f32) -> f32 { return sineOfTurn(quarterTurn(x), 1i); }";
const tangent = "fn tangent(x: f32) -> f32 { let turn = quarterTurn(x); return sineOfTurn(turn, 0i) / sineOfTurn(turn, 1i); }";

// atan(x) = pi/2 - atan(1/x) and pi/4 + atan((x - 1) / (x + 1)) bring x below tan(pi/8), where nine terms of the series are exact to 1e-9.
const arctangent = `fn arctangent(x: f32) -> f32 {
  let size = abs(x);
  let folded = select(size, 1.0f / max(size, 1.0f), size > 1.0f);
  let high = folded > 0.4142135624f;
  let t = select(folded, (folded - 1.0f) / (folded + 1.0f), high);
  let s = t * t;
  var sum = 0.05882352941f;
  sum = -0.06666666667f + s * sum;
  sum = 0.07692307692f + s * sum;
  sum = -0.09090909091f + s * sum;
  sum = 0.1111111111f + s * sum;
  sum = -0.1428571429f + s * sum;
  sum = 0.2f + s * sum;
  sum = -0.3333333333f + s * sum;
  let angle = t * (1.0f + s * sum) + select(0.0f, 0.7853981634f, high);
  return sign(x) * select(angle, 1.5707963268f - angle, size > 1.0f);
}`;

// Half the angle, so that nothing is divided by 0.
const arcsine = "fn arcsine(x: f32) -> f32 { return 2.0f * arctangent(x / (1.0f + sqrt((1.0f - x) * (1.0f + x)))); }";
const arccosine = "fn arccosine(x: f32) -> f32 { return 1.5707963268f - arcsine(x); }";

const hyperbolicSine = `fn hyperbolicSine(x: f32) -> f32 {
  let s = x * x;
  if (s < 0.25f) { return x * (1.0f + s * (0.1666666667f + s * (8.333333333e-3f + s * (1.984126984e-4f + s * 2.755731922e-6f)))); }
  return 0.5f * (exp(x) - exp(-x));
}`;
const hyperbolicCosine = "fn hyperbolicCosine(x: f32) -> f32 { return 0.5f * (exp(x) + exp(-x)); }";

const areaSine = `fn areaSine(x: f32) -> f32 {
  let a = abs(x);
  if (a > 1e9f) { return sign(x) * (log(a) + 0.6931471806f); }
  return sign(x) * logOnePlus(a + a * a / (1.0f + sqrt(a * a + 1.0f)));
}`;
const areaCosine = `fn areaCosine(x: f32) -> f32 {
  if (x > 1e9f) { return log(x) + 0.6931471806f; }
  let above = x - 1.0f;
  return logOnePlus(above + sqrt(above * (above + 2.0f)));
}`;
const areaTangent = "fn areaTangent(x: f32) -> f32 { return 0.5f * (logOnePlus(x) - logOnePlus(-x)); }";

/** Angles and hyperbolas, element by element. */
export const trigonometricRules: Readonly<Record<string, ElementRule>> = {
  Sin: helped("sine", ...turns, sine),
  Cos: helped("cosine", ...turns, cosine),
  Tan: helped("tangent", ...turns, tangent),
  Atan: helped("arctangent", arctangent),
  Asin: helped("arcsine", arctangent, arcsine),
  Acos: helped("arccosine", arctangent, arcsine, arccosine),
  Sinh: helped("hyperbolicSine", hyperbolicSine),
  Cosh: helped("hyperbolicCosine", hyperbolicCosine),
  Asinh: helped("areaSine", logOnePlus, areaSine),
  Acosh: helped("areaCosine", logOnePlus, areaCosine),
  Atanh: helped("areaTangent", logOnePlus, areaTangent),
};
