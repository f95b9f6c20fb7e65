import { expect, test } from "vitest";
import { tensor, type Tensors } from "../../core/index.ts";
import { SharedFeeds } from "./shared-feeds.ts";

function written(feeds: SharedFeeds, values: Tensors): Tensors {
  const shared = feeds.write(values);
  if (shared === undefined) throw new Error("they are where the last ones were");
  return shared;
}

test("feeds of one type are written where the last ones were, which threads share; the caller's memory is not kept", () => {
  const feeds = new SharedFeeds();
  const x = tensor("float32", [2, 2], [1, 2, 3, 4]);
  const first = written(feeds, { x, step: tensor("int64", [], [1]) });
  expect(first["x"]).toEqual(x);
  expect(first["step"]?.data).toEqual(BigInt64Array.of(1n));
  expect(first["x"]?.data).toHaveProperty("buffer", expect.any(SharedArrayBuffer));
  expect(feeds.write({ x: tensor("float32", [2, 2], [5, 6, 7, 8]), step: tensor("int64", [], [2]) })).toBeUndefined();
  expect(first["x"]?.data).toEqual(Float32Array.of(5, 6, 7, 8));
  expect(first["step"]?.data).toEqual(BigInt64Array.of(2n));
  expect([...(x.data as Float32Array)]).toEqual([1, 2, 3, 4]);
});

test("feeds of another shape, type, name or number are told of", () => {
  const feeds = new SharedFeeds();
  const [a, b] = [written(feeds, { x: tensor("float32", [2], [1, 2]) }), written(feeds, { x: tensor("float32", [3], [1, 2, 3]) })];
  expect(b["x"]?.data).toHaveLength(3);
  expect(b["x"]?.data).not.toBe(a["x"]?.data);
  expect(written(feeds, { x: tensor("float32", [3, 1], [1, 2, 3]) })["x"]?.shape).toEqual([3, 1]);
  expect(written(feeds, { x: tensor("int32", [3, 1], [1, 2, 3]) })["x"]?.data).toBeInstanceOf(Int32Array);
  expect(Object.keys(written(feeds, { x: tensor("int32", [3, 1], [1, 2, 3]), y: tensor("int32", [1], [1]) }))).toEqual(["x", "y"]);
  expect(Object.keys(written(feeds, { y: tensor("int32", [1], [1]) }))).toEqual(["y"]);
});

test("strings stay strings and are told of each time", () => {
  const feeds = new SharedFeeds();
  for (const text of ["a", "b"]) expect(written(feeds, { x: tensor("string", [1], [text]) })["x"]?.data).toEqual([text]);
});
