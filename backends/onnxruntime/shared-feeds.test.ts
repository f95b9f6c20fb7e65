import { expect, test } from "vitest";
import { tensor } from "../../core/index.ts";
import { SharedFeeds } from "./shared-feeds.ts";

test("feeds of one size keep their memory, which threads share; the caller's is not kept", () => {
  const feeds = new SharedFeeds();
  const x = tensor("float32", [2, 2], [1, 2, 3, 4]);
  const first = feeds.write({ x, step: tensor("int64", [], [1]) });
  expect(first["x"]).toEqual(x);
  expect(first["step"]?.data).toEqual(BigInt64Array.of(1n));
  const second = feeds.write({ x: tensor("float32", [2, 2], [5, 6, 7, 8]), step: tensor("int64", [], [2]) });
  expect(second["x"]?.data).toBe(first["x"]?.data);
  expect(second["x"]?.data).toHaveProperty("buffer", expect.any(SharedArrayBuffer));
  expect([...(x.data as Float32Array)]).toEqual([1, 2, 3, 4]);
});

test("another size or type gets memory of its own, and strings stay strings", () => {
  const feeds = new SharedFeeds();
  const [a, b] = [feeds.write({ x: tensor("float32", [2], [1, 2]) }), feeds.write({ x: tensor("float32", [3], [1, 2, 3]) })];
  expect(b["x"]?.data).toHaveLength(3);
  expect(b["x"]?.data).not.toBe(a["x"]?.data);
  expect(feeds.write({ x: tensor("int32", [3], [1, 2, 3]) })["x"]?.data).toBeInstanceOf(Int32Array);
  expect(feeds.write({ x: tensor("string", [1], ["a"]) })["x"]?.data).toEqual(["a"]);
});
