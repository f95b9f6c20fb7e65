import fc from "fast-check";
import { expect, it } from "vitest";
import { parseNumber } from "./parse-number.ts";

const parse = (text: string): number => {
  const bytes = new TextEncoder().encode(`#${text}#`);
  return parseNumber(bytes, 1, bytes.length - 1);
};

it("reads every float64 in the form that JavaScript prints", () => {
  const doubles = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(doubles, (value) => {
      expect(parse(String(value))).toBe(value === 0 ? 0 : value);
    }),
    { numRuns: 2000 },
  );
});

it("reads decimals with points and exponents as Number does", () => {
  const digits = fc.string({ unit: fc.constantFrom("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"), minLength: 1, maxLength: 22 });
  const decimals = fc.tuple(fc.constantFrom("", "-", "+"), digits, fc.option(digits), fc.option(fc.integer({ min: -340, max: 300 })));
  fc.assert(
    fc.property(decimals, ([sign, whole, part, exponent]) => {
      const text = sign + whole + (part === null ? "" : `.${part}`) + (exponent === null ? "" : `e${exponent}`);
      const expected = Number(text);
      expect(parse(` ${text}\t`)).toBe(Number.isFinite(expected) ? expected : NaN);
    }),
    { numRuns: 2000 },
  );
});

it.each(["", " ", ".", "-", "+", "e5", "1e", "1e+", "1.2.3", "1,5", "0x10", "inf", "Infinity", "NaN", "1e999", "12a", "1 2", "--1", "١"])(
  "takes %j for no number",
  (text) => {
    expect(parse(text)).toBeNaN();
  },
);

it.each([
  ["5.", 5],
  [".5", 0.5],
  ["-.5e-1", -0.05],
  ["007", 7],
  ["-0", -0],
  ["9007199254740993", 9007199254740992],
  ["1e22", 1e22],
  ["123456789012345678901234567890", 1.2345678901234568e29],
])("reads %s", (text, value) => {
  expect(parse(text)).toBe(value);
});
