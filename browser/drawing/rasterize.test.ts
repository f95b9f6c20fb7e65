import { gunzipSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inkStyle, rasterize, type InkStyle, type Stroke } from "./rasterize.ts";

const digits: InkStyle = { height: 8, width: 8, top: 0, bottom: 7, ink: 0.3, full: 16 };

function circle(radius: number, x: number, y: number): Stroke {
  return Array.from({ length: 60 }, (_, i) => ({
    x: x + radius * 0.7 * Math.cos((i / 59) * 2 * Math.PI),
    y: y + radius * Math.sin((i / 59) * 2 * Math.PI),
  }));
}

function sum(values: Float32Array): number {
  return values.reduce((a, b) => a + b, 0);
}

test("a drawing has the ink of the images that it is made to look like, wherever and however large it was drawn", () => {
  const small = rasterize([circle(20, 40, 40)], digits);
  const large = rasterize([circle(140, 160, 150)], digits);
  expect(sum(small) / (64 * 16)).toBeCloseTo(0.3, 1);
  expect([...large]).toEqual([...small]);
});

test("a drawing fills the rows, is centred, and has a hole where a ring has one", () => {
  const image = rasterize([circle(100, 160, 160)], digits);
  const row = (y: number): number[] => Array.from(image.subarray(y * 8, y * 8 + 8));
  expect(Math.max(...row(0))).toBeGreaterThan(4);
  expect(Math.max(...row(7))).toBeGreaterThan(4);
  expect(image[3 * 8 + 3]).toBeLessThan(4);
  for (let y = 0; y < 8; y++) expect(row(y)).toEqual(row(y).toReversed());
});

test("no pixel leaves the range, an empty drawing is empty and a dot is a blot in the middle", () => {
  const line: Stroke = [
    { x: 3, y: 0 },
    { x: 3, y: 300 },
  ];
  expect(Math.max(...rasterize([line], digits))).toBe(16);
  expect(sum(rasterize([], digits))).toBe(0);
  const dot = rasterize([[{ x: 9, y: 9 }]], digits);
  expect(dot[3 * 8 + 3]).toBe(16);
  expect(dot[0]).toBe(0);
});

test("the style of the UCI digits is found from any of them: full height and about 30 % ink", () => {
  const rows = gunzipSync(readFileSync(join(import.meta.dirname, "../../examples/data/digits.csv.gz")))
    .toString()
    .trim()
    .split("\n");
  expect(rows).toHaveLength(1797);
  for (const row of rows.slice(0, 50)) {
    const style = inkStyle(row.split(",").slice(0, 64).map(Number), { height: 8, width: 8, full: 16 });
    expect([style.top, style.bottom]).toEqual([0, 7]);
    expect(style.ink).toBeGreaterThan(0.2);
    expect(style.ink).toBeLessThan(0.42);
  }
});
