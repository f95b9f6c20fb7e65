import { dtypeOfCode, toNumbers } from "../../../core/index.ts";
import { literal } from "../wgsl.ts";
import { logOnePlus } from "./log-one-plus.ts";
import { roundToHalf } from "./round-to-half.ts";
import { trigonometricRules } from "./trigonometry.ts";
import { helped, type ElementContext, type ElementRule } from "./element-rule.ts";

// WGSL's pow is undefined for negative bases, and its exp2(y log2(x)) loses a bit for every doubling of the exponent: the whole part of a
// small exponent is multiplied out.
const floatPower = `fn floatPower(x: f32, y: f32) -> f32 {
  if (y == 0.0f) { return 1.0f; }
  let whole = trunc(y);
  let size = abs(x);
  var result = 1.0f;
  if (abs(whole) <= 16.0f) {
    for (var i = 0.0f; i < abs(whole); i += 1.0f) { result *= size; }
    if (whole < 0.0f) { result = 1.0f / result; }
    if (y != whole) { result *= pow(size, y - whole); }
  } else {
    result = pow(size, y);
  }
  if (x >= 0.0f) { return result; }
  if (y != whole) { let nothing = x - x; return nothing / nothing; }
  return select(result, -result, abs(whole) - 2.0f * floor(abs(whole) * 0.5f) == 1.0f);
}`;

const integerPower = `fn integerPower(x: i32, y: i32) -> i32 {
  if (y < 0i) { return select(0i, select(select(-1i, 1i, (y & 1i) == 0i), 1i, x == 1i), abs(x) == 1i); }
  var result = 1i;
  for (var i = 0i; i < y; i += 1i) { result *= x; }
  return result;
}`;

// The built-in tanh may be off by 1e-5, and on some drivers is NaN from e^x / e^x for large x; near 0 the series keeps all digits.
const hyperbolicTangent = `fn hyperbolicTangent(x: f32) -> f32 {
  let s = x * x;
  if (s < 0.04f) { return x * (1.0f + s * (-0.3333333333f + s * (0.1333333333f + s * (-0.0539682540f + s * 0.0218694885f)))); }
  let e = exp(-2.0f * abs(x));
  return sign(x) * (1.0f - 2.0f * e / (1.0f + e));
}`;

const softplus = `fn softplus(x: f32) -> f32 { return max(x, 0.0f) + logOnePlus(exp(-abs(x))); }`;

const naturalLog = `fn naturalLog(x: f32) -> f32 { return select(log(x), logOnePlus(x - 1.0f), x > 0.75f && x < 1.4f); }`;

// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: within 1.5e-7; near 0 the series, so that small x keeps its digits.
const errorFunction = `fn errorFunction(x: f32) -> f32 {
  let a = abs(x);
  if (a < 0.3f) {
    let s = x * x;
    return x * (1.1283791671f + s * (-0.3761263890f + s * (0.1128379167f + s * (-0.0268661706f + s * 0.0052239776f))));
  }
  let t = 1.0f / (1.0f + 0.3275911f * a);
  let p = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  return sign(x) * (1.0f - p * exp(-a * a));
}`;

/** Operators of one element in, one out, under broadcasting. */
export const elementwiseRules: Readonly<Record<string, ElementRule>> = {
  Identity: unary((x) => x),
  Abs: unary((x) => `abs(${x})`),
  Neg: unary((x) => `-(${x})`),
  Sign: unary((x) => `sign(${x})`),
  Sqrt: unary((x) => `sqrt(${x})`),
  Exp: unary((x) => `exp(${x})`),
  Log: helped("naturalLog", logOnePlus, naturalLog),
  Reciprocal: unary((x) => `(1.0f / ${x})`),
  Not: unary((x) => `(1u - ${x})`),
  Relu: unary((x) => `max(${x}, 0.0f)`),
  LeakyRelu: { write: (context) => choose(context, (x) => `${x} * ${number(context, "alpha")}`) },
  Elu: { write: (context) => choose(context, (x) => `${number(context, "alpha")} * (exp(min(${x}, 0.0f)) - 1.0f)`) },
  Sigmoid: helped("sigmoid", "fn sigmoid(x: f32) -> f32 { let e = exp(-abs(x)); return select(e, 1.0f, x >= 0.0f) / (1.0f + e); }"),
  Tanh: helped("hyperbolicTangent", hyperbolicTangent),
  Softplus: helped("softplus", logOnePlus, softplus),
  Floor: unary((x) => `floor(${x})`),
  Ceil: unary((x) => `ceil(${x})`),
  Round: unary((x) => `round(${x})`),
  ...trigonometricRules,
  // By their bits: a shader compiler may take it that there are no such numbers.
  IsNaN: unary((x) => `select(0u, 1u, (bitcast<u32>(${x}) & 0x7fffffffu) > 0x7f800000u)`),
  IsInf: { write: isInfinite },
  Erf: helped("errorFunction", errorFunction),

  Add: binary((a, b) => `(${a} + ${b})`),
  Sub: binary((a, b) => `(${a} - ${b})`),
  Mul: binary((a, b) => `(${a} * ${b})`),
  Div: binary((a, b) => `(${a} / ${b})`),
  Pow: { write: power },
  Max: { write: (context) => extreme(context, "max") },
  Min: { write: (context) => extreme(context, "min") },
  Clip: { write: clip },

  Equal: compared("=="),
  Less: compared("<"),
  LessOrEqual: compared("<="),
  Greater: compared(">"),
  GreaterOrEqual: compared(">="),
  And: binary((a, b) => `(${a} & ${b})`),
  Or: binary((a, b) => `(${a} | ${b})`),
  Where: { write: ({ value }) => `select(${value(2)}, ${value(1)}, ${value(0)} != 0u)` },
  Cast: { write: cast },
};

function unary(expression: (x: string) => string): ElementRule {
  return { write: ({ value }) => expression(value(0)) };
}

function binary(expression: (a: string, b: string) => string): ElementRule {
  return { write: (context) => wrapped(context, expression(context.value(0), context.value(1))) };
}

function compared(operator: string): ElementRule {
  return { write: ({ value }) => `select(0u, 1u, ${value(0)} ${operator} ${value(1)})` };
}

/** uint8 is kept in 32 bits: arithmetic wraps as a byte does. */
function wrapped({ output }: ElementContext, expression: string): string {
  return output.dtype === "uint8" ? `(${expression} & 255u)` : expression;
}

function number({ attributes, fail }: ElementContext, name: string): string {
  return literal(attributes.float(name), "f32") ?? fail(`attribute "${name}" must be finite`);
}

function choose(context: ElementContext, negative: (x: string) => string): string {
  const x = context.local(context.value(0));
  return `select(${negative(x)}, ${x}, ${x} > 0.0f)`;
}

function extreme(context: ElementContext, name: "max" | "min"): string {
  return Array.from({ length: context.inputCount }, (_, i) => context.value(i)).reduce((a, b) => `${name}(${a}, ${b})`);
}

function clip({ has, value }: ElementContext): string {
  const raised = has(1) ? `max(${value(0)}, ${value(1)})` : value(0);
  return has(2) ? `min(${raised}, ${value(2)})` : raised;
}

function isInfinite({ attributes, value, local }: ElementContext): string {
  const bits = local(`bitcast<u32>(${value(0)})`);
  const tests = [
    ...(attributes.int("detect_positive") === 1 ? [`${bits} == 0x7f800000u`] : []),
    ...(attributes.int("detect_negative") === 1 ? [`${bits} == 0xff800000u`] : []),
  ];
  return tests.length === 0 ? "0u" : `select(0u, 1u, ${tests.join(" || ")})`;
}

function cast(context: ElementContext): string {
  const to = dtypeOfCode(context.attributes.int("to"));
  const x = context.value(0);
  const { dtype, scalar } = context.input(0);
  if (to === "bool") return dtype === "bool" ? x : `select(0u, 1u, ${x} != ${scalar === "f32" ? "0.0f" : scalar === "i32" ? "0i" : "0u"})`;
  if (to === "uint8") return scalar === "u32" ? x : `(u32(i32(${x})) & 255u)`;
  const number = context.output.scalar === scalar ? x : `${context.output.scalar}(${x})`;
  if (to !== "float16" || dtype === "float16") return number;
  context.shader.define(roundToHalf);
  return `roundToHalf(${number})`;
}

function power(context: ElementContext): string {
  const { output, shader, value, input, local } = context;
  const exponent = context.constant(1);
  const known = exponent && exponent.data.length === 1 ? toNumbers(exponent)[0] : undefined;
  if (known !== undefined && Number.isInteger(known) && known >= 0 && known <= 8) return repeated(local(value(0)), known, output.scalar);
  if (output.scalar === "i32") {
    shader.define(integerPower);
    return `integerPower(${value(0)}, i32(${value(1)}))`;
  }
  if (known === 0.5) return `sqrt(${value(0)})`;
  if (known === -1) return `(1.0f / ${value(0)})`;
  shader.define(floatPower);
  return `floatPower(${value(0)}, ${input(1).scalar === "f32" ? value(1) : `f32(${value(1)})`})`;
}

function repeated(x: string, times: number, scalar: string): string {
  return times === 0 ? `${scalar}(1)` : `(${Array.from({ length: times }, () => x).join(" * ")})`;
}
