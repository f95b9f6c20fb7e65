import { describe, expect, test } from "vitest";
import { checkFeeds, checkState, stateNames } from "./feeds.ts";
import type { Graph } from "./graph/graph.ts";
import { tensor, zeros, type Tensors } from "./tensor.ts";

const graph: Graph = {
  name: "g",
  inputs: [
    { name: "x", dtype: "float32", shape: ["batch", 3] },
    { name: "labels", dtype: "int32", shape: ["batch"] },
    { name: "rate", dtype: "float32", shape: [] },
  ],
  outputs: {},
  state: [{ name: "w", dtype: "float32", shape: [3, 2], role: "parameter" }],
  constants: {},
  nodes: [],
  updates: {},
  values: {},
};
const feeds = (change: Record<string, Tensors[string]> = {}): Tensors => ({
  x: zeros("float32", [4, 3]),
  labels: zeros("int32", [4]),
  rate: zeros("float32", []),
  ...change,
});

describe("checkFeeds", () => {
  test("returns the batch size, and 1 for a graph without a symbolic dimension", () => {
    expect(checkFeeds(graph, feeds())).toBe(4);
    expect(checkFeeds({ ...graph, inputs: [{ name: "rate", dtype: "float32", shape: [] }] }, { rate: zeros("float32", []) })).toBe(1);
  });

  test("names what is missing and what is superfluous in one message", () => {
    const { labels, ...rest } = feeds();
    expect(labels).toBeDefined();
    expect(() => checkFeeds(graph, { ...rest, label: zeros("int32", [4]) })).toThrow(
      'feeds of graph "g": "labels" is missing; "label" is unknown; the graph takes "x", "labels", "rate"',
    );
  });

  test.each([
    ["another dtype", { x: zeros("float64", [4, 3]) }, 'feed "x" is float64 [4, 3], but the graph takes float32 [batch, 3]'],
    ["another shape", { x: zeros("float32", [4, 2]) }, 'feed "x" is float32 [4, 2], but the graph takes float32 [batch, 3]'],
    ["another rank", { x: zeros("float32", [4, 3, 1]) }, 'feed "x" is float32 [4, 3, 1], but'],
    ["no rows", { x: zeros("float32", [0, 3]) }, 'feed "x" has no rows'],
    ["another batch size", { labels: zeros("int32", [5]) }, 'feed "labels" has a batch of 5, but "x" has 4'],
    [
      "too little memory",
      { x: { dtype: "float32" as const, shape: [4, 3], data: new Float32Array(11) } },
      'feed "x" holds 11 elements, but its shape [4, 3] takes 12',
    ],
    [
      "memory of another class",
      { x: { dtype: "float32" as const, shape: [4, 3], data: new Float64Array(12) } },
      'feed "x" says float32, but its data is Float64Array',
    ],
    ["a broken size", { x: { dtype: "float32" as const, shape: [1.5, 3], data: new Float32Array(4) } }, "sizes are whole numbers"],
  ])("refuses %s", (_, change, message) => {
    expect(() => checkFeeds(graph, feeds(change as Tensors))).toThrow(
      expect.objectContaining({ code: "TENSOR_INVALID", message: expect.stringContaining(message) }),
    );
  });
});

describe("checkState", () => {
  test("takes a part of the state and refuses unknown names and other shapes", () => {
    expect(() => checkState(graph, {})).not.toThrow();
    expect(() => checkState(graph, { w: tensor("float32", [3, 2], [1, 2, 3, 4, 5, 6]) })).not.toThrow();
    expect(() => checkState(graph, { v: zeros("float32", [1]) })).toThrow('graph "g" has no state "v"; it has "w"');
    expect(() => checkState(graph, { w: zeros("float32", [2, 3]) })).toThrow('state "w" is float32 [2, 3], but the graph takes float32 [3, 2]');
  });

  test("stateNames gives all names by default and refuses unknown ones", () => {
    expect(stateNames(graph)).toEqual(["w"]);
    expect(() => stateNames(graph, ["w", "q"])).toThrow('has no state "q"');
  });
});
