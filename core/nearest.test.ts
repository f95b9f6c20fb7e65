import { expect, it } from "vitest";
import { nearestNames, suggestNames } from "./nearest.ts";

const columns = ["species", "island", "body_mass_g", "sex", "year", "Flipper Length (mm)"];

it.each([
  ["specis", ["species"]],
  ["Species ", ["species"]],
  ["spceies", ["species"]],
  ["bodyMassG", ["body_mass_g"]],
  ["body mass", ["body_mass_g"]],
  ["flipper", ["Flipper Length (mm)"]],
  ["zzzzzz", []],
  ["", []],
])("finds what is near to %j", (name, expected) => {
  expect(nearestNames(name, columns)).toEqual(expected);
});

it("puts the nearest first and names at most so many", () => {
  expect(nearestNames("col1", ["col2", "col1x", "col12", "col1"], { limit: 2 })).toEqual(["col1", "col2"]);
});

it("asks about what is near, else lists what there is", () => {
  expect(suggestNames("yaer", columns)).toBe('; did you mean "year"?');
  expect(suggestNames("price", ["a", "b", "c"], { limit: 2 })).toBe('; there are "a", "b" and 1 more');
  expect(suggestNames("price", [])).toBe("; there are none");
});

it("does not take a square of time for endless names", () => {
  expect(nearestNames("x".repeat(100_000), ["y".repeat(100_000)])).toEqual([]);
});
