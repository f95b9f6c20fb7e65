import { expect, it } from "vitest";
import { formatNumber, formatTable } from "./output.ts";
import { list, positiveNumber, wholeNumber } from "./options.ts";
import { formatDuration } from "./training-progress.ts";

it.each([
  [0, "0"],
  [344, "344"],
  [0.97531, "0.9753"],
  [0.00001234567, "0.00001235"],
  [12345.678, "12345.7"],
  [-0.5, "-0.5"],
  [NaN, "NaN"],
])("writes %d as %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

it("aligns numbers right and text left", () => {
  expect(
    formatTable([
      ["name", "loss"],
      ["linear", 0.5],
      ["network", 10],
    ]),
  ).toEqual(["name     loss", "linear    0.5", "network    10"]);
  expect(formatTable([])).toEqual([]);
});

it("writes durations as people read them", () => {
  expect([7000, 750_000, 3_723_000, -5].map(formatDuration)).toEqual(["00:07", "12:30", "1:02:03", "00:00"]);
});

it("parses options, or says what they must be", () => {
  expect(wholeNumber(1)("12")).toBe(12);
  for (const text of ["0", "-1", "1.5", "x", "", "1e3", "99999999999999999999"]) expect(() => wholeNumber(1)(text)).toThrow(/whole number from 1/);
  expect(() => wholeNumber(0, 65_535)("70000")).toThrow(/from 0 to 65535/);
  expect(positiveNumber("1e-3")).toBe(0.001);
  for (const text of ["0", "-1", "x", "", "Infinity"]) expect(() => positiveNumber(text)).toThrow(/above 0/);
  expect(list("c, d,", ["a"])).toEqual(["a", "c", "d"]);
});
