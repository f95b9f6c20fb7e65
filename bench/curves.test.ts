import { expect, test } from "vitest";
import { curvesSvg } from "./curves.ts";

test("a chart has a line for each curve, a colour for each name and ticks around all values", () => {
  const svg = curvesSvg("accuracy", "accuracy", [
    { name: "here", values: [0.81, 0.85, 0.87] },
    { name: "here", values: [0.8, 0.84, 0.88] },
    { name: "there", values: [0.79, 0.86, 0.87] },
  ]);
  expect(svg.match(/<polyline/g)).toHaveLength(3);
  expect(new Set(svg.match(/stroke="#[0-9a-f]{6}" stroke-width/g))).toHaveProperty("size", 2);
  expect(svg).toContain(">0.78<");
  expect(svg).toContain(">0.88<");
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});

test("a chart of one value has a place for it", () => {
  for (const value of [0.8, 0.83, 0, 2]) {
    const svg = curvesSvg("accuracy", "accuracy", [{ name: "here", values: [value] }]);
    expect(svg).toMatch(/points="[\d.]+,[\d.]+"/);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  }
});
