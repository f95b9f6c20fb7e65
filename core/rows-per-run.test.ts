import { expect, it } from "vitest";
import type { GraphInput } from "./graph/graph.ts";
import { rowsPerRun } from "./rows-per-run.ts";

const input = (dtype: GraphInput["dtype"], ...shape: readonly number[]): { readonly inputs: readonly GraphInput[] } => ({
  inputs: [{ name: "x", dtype, shape: ["batch", ...shape] }],
});

it("runs tables a thousand rows at a time, photos and long texts few", () => {
  expect(rowsPerRun(input("float32", 30))).toBe(1024);
  expect(rowsPerRun(input("float32", 3, 64, 64))).toBe(85); // 2^20 / 12288
  expect(rowsPerRun(input("float32", 3, 224, 224))).toBe(8);
  expect(rowsPerRun(input("int32", 256))).toBe(64); // each token is a vector
  expect(rowsPerRun({ inputs: [] })).toBe(1024);
});
