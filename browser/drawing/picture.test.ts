import { expect, it } from "vitest";
import { nested, planes } from "./picture.ts";

const style = { channels: 3, height: 1, width: 2, full: 255 };
/** A red pixel and a blue one. */
const rgba = [255, 0, 0, 255, 0, 0, 204, 255];

it("puts each colour into a plane of its own, in the model's range", () => {
  expect([...planes(rgba, style)]).toEqual([255, 0, 0, 0, 0, 204]);
  expect([...planes(rgba, { ...style, full: 1 })]).toEqual([1, 0, 0, 0, 0, Math.fround(0.8)]);
});

it("gives a model of one channel the luminance", () => {
  const [red, blue] = planes(rgba, { ...style, channels: 1 });
  expect(red).toBeCloseTo(54.213, 3);
  expect(blue).toBeCloseTo(14.7288, 3);
  expect([...planes([90, 90, 90, 255], { channels: 1, height: 1, width: 1, full: 255 })]).toEqual([90]);
});

it("nests planes as a request sends them", () => {
  expect(nested(Float32Array.of(1, 2, 3, 4, 5, 6), { channels: 3, height: 1, width: 2 })).toEqual([[[1, 2]], [[3, 4]], [[5, 6]]]);
});
