import { expect, test } from "vitest";
import { tensor, type OnnxModel } from "../../../core/index.ts";
import { Arena } from "../arena.ts";
import { OptimizerKernels } from "../kernels/optimizer-kernels.ts";
import type { ProductCall } from "../machine/compile.ts";
import { openBoundSession, type BoundModel, type NativeRuntime } from "./bound-session.ts";
import { customOperator, productOperator, type Computation } from "./custom-operators.ts";
import { loadOrtLibrary } from "./ort-library.ts";

const library = await loadOrtLibrary();
/** Elsewhere products are ONNX Runtime's. */
const machine = library?.machine();
const arena = new Arena();

function runtime(change: Partial<NativeRuntime> = {}): NativeRuntime {
  if (library === undefined) throw new Error("skipped");
  return { library, arena, optimizers: new OptimizerKernels(arena), machine: () => machine && { ...machine, threads: 1 }, ...change };
}

const [rows, depth, columns] = [30, 8, 20];

const product: ProductCall = {
  product: {
    batches: [1, 1],
    rows,
    columns,
    depth,
    left: { batches: [0, 0], row: depth, depth: 1 },
    right: { batches: [0, 0], depth: columns, column: 1 },
    result: { batches: [0, 0], row: columns },
    scale: 1,
    third: "none",
    relu: false,
  },
  shape: [rows, columns],
};

/** y = own(a) b, where own is a kernel. */
const model: OnnxModel = {
  name: "kernel and product",
  producer: "test",
  irVersion: 10,
  opsets: { "": 21, [customOperator.domain]: 1 },
  inputs: [
    { name: "a", dtype: "float32", shape: [rows, depth] },
    { name: "b", dtype: "float32", shape: [depth, columns] },
  ],
  outputs: [{ name: "y", dtype: "float32", shape: [rows, columns] }],
  initializers: {},
  nodes: [
    { name: "own", ...customOperator, inputs: ["a"], outputs: ["h"], attributes: { kernel: { kind: "int", value: 0 } } },
    { name: "times", ...productOperator, inputs: ["h", "b"], outputs: ["y"], attributes: { product: { kind: "int", value: 0 } } },
  ],
  metadata: {},
};

/** A model whose kernel copies, and how often its kernels were released. */
function bound(copy: Computation["compute"]): { readonly bound: BoundModel; readonly released: () => number } {
  let count = 0;
  const computations = [{ outputs: [[rows, depth]], compute: copy }];
  const kernels = { computations, isHelped: false, release: () => void (count += 1) };
  return { bound: { model, kernels, products: [product] }, released: () => count };
}

const ones = (...shape: readonly [number, number]): ReturnType<typeof tensor> =>
  tensor("float32", shape, new Float32Array(shape[0] * shape[1]).fill(1));

test.skipIf(machine === undefined)("the first session with a product comes after ones with kernels alone, which go on", async () => {
  const { bound: both } = bound(([from = 0n], [to = 0n]) => library?.copy(to, from, 4 * rows * depth));
  const alone: OnnxModel = {
    ...model,
    inputs: model.inputs.slice(0, 1),
    outputs: [{ name: "h", dtype: "float32", shape: [rows, depth] }],
    nodes: model.nodes.slice(0, 1),
  };
  const kernels = openBoundSession(runtime(), { ...both, model: alone, products: [] }, { threads: 1 });
  const session = openBoundSession(runtime(), both, { threads: 1 });
  const { y } = await session.run({ a: ones(rows, depth), b: ones(depth, columns) }, 1);
  expect([...new Set(y?.data as Float32Array)]).toEqual([depth]); // y and h are float32
  const { h } = await kernels.run({ a: ones(rows, depth) }, 1);
  expect([...new Set(h?.data as Float32Array)]).toEqual([1]);
  await session.release();
  await kernels.release();
});

test.skipIf(machine === undefined)(
  "a kernel that fails is what a run throws, not that the product after it had nothing to read; then it runs again",
  async () => {
    let fails = false;
    const { bound: given, released } = bound(([from = 0n], [to = 0n]) => {
      if (fails) throw new Error("it was told to fail");
      library?.copy(to, from, 4 * rows * depth);
    });
    const session = openBoundSession(runtime(), given, { threads: 1 });
    const feeds = { a: ones(rows, depth), b: ones(depth, columns) };
    const results = async (): Promise<readonly number[]> => [...new Set((await session.run(feeds, 1))["y"]?.data as Float32Array)]; // y is float32
    expect(await results()).toEqual([depth]);
    fails = true;
    expect(() => session.run(feeds, 1)).toThrow("it was told to fail");
    fails = false;
    expect(await results()).toEqual([depth]);
    await session.release();
    expect(released()).toBe(1);
  },
);

test.skipIf(machine === undefined)("without memory for machine code a session is refused, and nothing of it stays", () => {
  if (machine === undefined) throw new Error("skipped");
  let open = 0;
  const { memory, api } = machine;
  const counting: typeof memory = {
    ...memory,
    reserve: (bytes) => {
      const block = memory.reserve(bytes);
      open += 1;
      return { ...block, release: () => ((open -= 1), block.release()) };
    },
    protect: () => {
      throw new Error("mprotect refuses executable memory");
    },
  };
  const { bound: given, released } = bound(() => undefined);
  const host = runtime({ machine: () => ({ memory: counting, api, threads: 2 }) });
  expect(() => openBoundSession(host, given, { threads: 1 })).toThrow(/"kernel and product".*mprotect/);
  expect([released(), open]).toEqual([1, 0]);
  expect(() => openBoundSession(runtime({ machine: () => undefined }), given, { threads: 1 })).toThrow("planned");
  expect(released()).toBe(2);
});

type ResizableBuffer = ArrayBuffer & { resize(bytes: number): void };
const Resizable = ArrayBuffer as unknown as new (bytes: number, options: { readonly maxByteLength: number }) => ResizableBuffer; // ES2024's

test.skipIf(library === undefined)("a feed that has grown or shrunk where it is, is read as long as it is now", async () => {
  const relu: OnnxModel = {
    ...model,
    inputs: [{ name: "a", dtype: "float32", shape: ["batch", 256] }],
    outputs: [{ name: "y", dtype: "float32", shape: ["batch", 256] }],
    nodes: [{ name: "relu", operator: "Relu", domain: "", inputs: ["a"], outputs: ["y"], attributes: {} }],
  };
  const kernels = { computations: [], isHelped: false, release: () => undefined };
  const session = openBoundSession(runtime(), { model: relu, kernels, products: [] }, { threads: 1 });
  const memory = new Resizable(2 ** 17, { maxByteLength: 2 ** 18 });
  const data = new Float32Array(memory); // as long as its memory is
  for (const batch of [128, 256, 64]) {
    memory.resize(batch * 1024);
    data.fill(batch);
    const { y } = await session.run({ a: { dtype: "float32", shape: [batch, 256], data } }, batch);
    expect(y?.shape).toEqual([batch, 256]);
    expect([...new Set(y?.data as Float32Array)]).toEqual([batch]); // y is float32
  }
  await session.release();
});
