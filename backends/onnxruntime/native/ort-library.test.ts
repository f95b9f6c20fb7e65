import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { encodeOnnx, EspalierError, tensor, type OnnxModel } from "../../../core/index.ts";
import { Arena } from "../arena.ts";
import { customOperator, type Computation } from "./custom-operators.ts";
import { createOptimized } from "./optimized-file.ts";
import { loadOrtLibrary } from "./ort-library.ts";

const model: OnnxModel = {
  name: "sum",
  producer: "test",
  irVersion: 10,
  opsets: { "": 21 },
  inputs: [
    { name: "a", dtype: "float32", shape: [3] },
    { name: "b", dtype: "float32", shape: [3] },
  ],
  outputs: [{ name: "y", dtype: "float32", shape: [3] }],
  initializers: { two: tensor("float32", [], [2]) },
  nodes: [
    { name: "product", operator: "Mul", domain: "", inputs: ["b", "two"], outputs: ["p"], attributes: {} },
    { name: "sum", operator: "Add", domain: "", inputs: ["a", "p"], outputs: ["y"], attributes: {} },
  ],
  metadata: {},
};

/** A development dependency; absent where optional packages were left out. */
const library = await loadOrtLibrary();

test.skipIf(library === undefined)("a bound session reads memory where it is and writes results where they are wanted", () => {
  const arena = new Arena();
  const [a, b, y] = Array.from({ length: 3 }, () => arena.allocate("float32", [3]) as Float32Array);
  const session = library?.createSession(encodeOnnx(model), { threads: 1 });
  if (!session || !a || !b || !y) throw new Error("nothing was made");
  session.bindInput("a", { dtype: "float32", shape: [3], data: a });
  session.bindInput("b", { dtype: "float32", shape: [3], data: b });
  session.bindOutput("y", { dtype: "float32", shape: [3], data: y });
  a.set([1, 2, 3]);
  b.set([10, 20, 30]);
  session.run();
  expect([...y]).toEqual([21, 42, 63]);
  a.set([0, 0, -60]);
  session.run();
  expect([...y]).toEqual([20, 40, 0]);
  session.release();
});

test.skipIf(library === undefined)("ONNX Runtime's failures are thrown with its message", () => {
  expect(() => library?.createSession(Uint8Array.of(1, 2, 3), { threads: 1 })).toThrow(/protobuf|model/i);
  const session = library?.createSession(encodeOnnx(model), { threads: 1 });
  const data = new Arena().allocate("float32", [3]) as Float32Array;
  expect(() => session?.bindInput("c", { dtype: "float32", shape: [3], data })).toThrow(/"?c"?/);
  expect(() => session?.run()).toThrow(/output/);
  session?.release();
});

test("without koffi there is no library, and no failure", async () => {
  expect(await loadOrtLibrary(() => Promise.reject(new Error("Cannot find package 'koffi'")))).toBeUndefined();
});

const own: OnnxModel = {
  ...model,
  opsets: { "": 21, [customOperator.domain]: 1 },
  inputs: model.inputs.slice(0, 1),
  nodes: [
    { name: "own", ...customOperator, inputs: ["a"], outputs: ["h", "unused"], attributes: { kernel: { kind: "int", value: 0 } } },
    { name: "product", operator: "Mul", domain: "", inputs: ["h", "two"], outputs: ["y"], attributes: {} },
  ],
};

test.skipIf(library === undefined)("a model's own operator computes in this process, and its failure is the run's", () => {
  const arena = new Arena();
  const [a, y] = Array.from({ length: 2 }, () => arena.allocate("float32", [3]) as Float32Array);
  const scratch = arena.allocate("float32", [3]) as Float32Array;
  let fails = false;
  const increment: Computation = {
    outputs: [[3], [1]],
    compute([from = 0n], [to = 0n]) {
      if (fails) throw new EspalierError("BACKEND_RUN_FAILED", "it was told to fail", {});
      library?.copy(library.addressOf(scratch), from, 12);
      for (let i = 0; i < 3; i += 1) scratch[i] = (scratch[i] ?? 0) + 1;
      library?.copy(to, library.addressOf(scratch), 12);
    },
  };
  const session = library?.createSession(encodeOnnx(own), { threads: 1 }, { computations: [increment] });
  if (!session || !a || !y) throw new Error("nothing was made");
  session.bindInput("a", { dtype: "float32", shape: [3], data: a });
  session.bindOutput("y", { dtype: "float32", shape: [3], data: y });
  a.set([1, 2, 3]);
  session.run();
  expect([...y]).toEqual([4, 6, 8]);
  fails = true;
  expect(() => session.run()).toThrow("it was told to fail");
  fails = false;
  session.run();
  expect([...y]).toEqual([4, 6, 8]);
  session.release();
});

test.skipIf(library === undefined || process.platform === "win32")(
  "a model that was optimized once is loaded as it was, with its own operators",
  () => {
    const increment: Computation = { outputs: [[3]], compute: () => undefined };
    const first = library?.createSession(encodeOnnx(own), { threads: 1 }, { computations: [increment], keepsOptimized: true });
    const bytes = first?.optimized;
    first?.release();
    if (bytes === undefined) throw new Error("no model was written");
    const again = library?.createSession(bytes, { threads: 1 }, { computations: [increment], isOptimized: true });
    expect(again?.optimized).toBeUndefined();
    again?.release();
    expect(() => library?.createSession(Uint8Array.of(1, 2, 3), { threads: 1 }, { keepsOptimized: true })).toThrow(/protobuf|model/i);
  },
);

test("without a place for files a session is created, and nothing is kept", () => {
  const paths: string[] = [];
  const create = (path: string): bigint => {
    paths.push(path);
    if (path !== "") throw new Error("no space left");
    return 7n;
  };
  expect(createOptimized(create)).toEqual({ session: 7n, optimized: undefined });
  expect(existsSync(dirname(paths[0] ?? ""))).toBe(false);
  expect(paths[1]).toBe("");
});
