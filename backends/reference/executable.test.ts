import { describe, expect, test } from "vitest";
import { GraphBuilder, scalar, tensor, toNumbers, zeros, type Backend, type Executable, type Graph, type Tensor } from "../../core/index.ts";
import { openReference } from "./index.ts";
import { planSteps, runSteps } from "./plan.ts";
import type { NumericTensor } from "./kernel.ts";

const backend: Backend = openReference();

/** y = relu(x) + x, and a counter that each run raises by the fed amount. */
function counting(): Graph {
  const b = new GraphBuilder("counting");
  const x = b.input("x", "float32", ["batch"]);
  const amount = b.input("amount", "float32", []);
  const count = b.state("count", "float32", []);
  b.output("y", b.op("Add", [b.op("Relu", [x], {}, { name: "positive" }), x]));
  b.output("before", count);
  b.update("count", b.op("Add", [count, amount]));
  return b.build();
}

describe("the reference backend", () => {
  test("returns the state as it was before the run's updates, which are applied at its end", async () => {
    const executable = await backend.compile(counting());
    const first = await executable.run({ x: tensor("float32", [2], [-1, 3]), amount: scalar(2.5) });
    expect(toNumbers(first["y"] as Tensor)).toEqual([-1, 6]);
    expect(toNumbers(first["before"] as Tensor)).toEqual([0]);
    const second = await executable.run({ x: zeros("float32", [5]), amount: scalar(1) });
    expect(toNumbers(second["before"] as Tensor)).toEqual([2.5]);
    expect(toNumbers((await executable.readState())["count"] as Tensor)).toEqual([3.5]);
  });

  test("swaps two states by updates that name each other", async () => {
    const b = new GraphBuilder("swap");
    const [left, right] = [b.state("left", "float32", [2]), b.state("right", "float32", [2])];
    b.update("left", right);
    b.update("right", left);
    const executable = await backend.compile(b.build(), { state: { left: tensor("float32", [2], [1, 2]), right: tensor("float32", [2], [3, 4]) } });
    await executable.run({});
    const state = await executable.readState();
    expect([state["left"], state["right"]].map((value) => toNumbers(value as Tensor))).toEqual([
      [3, 4],
      [1, 2],
    ]);
  });

  test("keeps no hold of a feed that becomes state through operators that share memory", async () => {
    const b = new GraphBuilder("keep");
    const x = b.input("x", "float32", [1, 3]);
    const kept = b.state("kept", "float32", [3]);
    b.update("kept", b.op("Identity", [b.op("Reshape", [x, b.ints([3])])]));
    b.output("last", kept);
    const executable = await backend.compile(b.build());
    const fed = tensor("float32", [1, 3], [1, 2, 3]);
    await executable.run({ x: fed });
    (fed.data as Float32Array).fill(9);
    expect(toNumbers((await executable.readState())["kept"] as Tensor)).toEqual([1, 2, 3]);
  });

  test("lets each value go after its last use, and keeps what is returned or written back", () => {
    const b = new GraphBuilder("chain");
    const x = b.input("x", "float32", [4]);
    const one = b.op("Exp", [x], {}, { name: "one" });
    const two = b.op("Neg", [one], {}, { name: "two" });
    const three = b.op("Add", [two, one], {}, { name: "three" });
    b.op("Abs", [three], {}, { name: "unused" });
    b.output("y", three);
    const steps = planSteps(b.build());
    expect(steps.map(({ lastUses }) => lastUses)).toEqual([["x"], [], ["two", "one"], ["unused"]]);
    const values = new Map<string, NumericTensor>([["x", tensor("float32", [4], [0, 1, 2, 3]) as NumericTensor]]);
    runSteps(steps, values);
    expect([...values.keys()]).toEqual(["three"]);
  });

  test("names every operator that it lacks", async () => {
    const graph = counting();
    const [first, second] = graph.nodes;
    const odd: Graph = { ...graph, nodes: [{ ...first!, operator: "Zap" }, { ...second!, operator: "Fold" }, ...graph.nodes.slice(2)] }; // two nodes are there
    await expect(backend.compile(odd)).rejects.toMatchObject({ code: "BACKEND_OPERATOR_MISSING", details: { operators: ["Fold", "Zap"] } });
  });

  test("a kernel that cannot go on names its node, and the state stays as it was", async () => {
    const b = new GraphBuilder("lookup");
    const table = b.state("table", "float32", [3, 2]);
    const counter = b.state("counter", "float32", []);
    const rows = b.op("Gather", [table, b.input("index", "int32", ["batch"])], {}, { name: "embedding" });
    b.output("rows", rows);
    b.update("counter", b.op("Add", [counter, b.scalar(1, "float32")]));
    const executable = await backend.compile(b.build());
    await expect(executable.run({ index: tensor("int32", [2], [0, 3]) })).rejects.toMatchObject({
      code: "BACKEND_RUN_FAILED",
      message: "embedding (Gather): index 3 is outside an axis of size 3",
    });
    expect(toNumbers((await executable.readState())["counter"] as Tensor)).toEqual([0]);
    await executable.run({ index: tensor("int32", [2], [0, -3]) });
  });

  test("refuses labels outside the classes and whole numbers divided by 0", async () => {
    const b = new GraphBuilder("loss");
    b.output("loss", b.op("SoftmaxCrossEntropyLoss", [b.input("scores", "float32", ["batch", 3]), b.input("labels", "int32", ["batch"])]));
    const executable = await backend.compile(b.build());
    await expect(executable.run({ scores: zeros("float32", [1, 3]), labels: tensor("int32", [1], [3]) })).rejects.toThrow(
      "label 3 is outside the 3 classes",
    );

    const d = new GraphBuilder("divide");
    d.output("y", d.op("Div", [d.input("a", "int32", [2]), d.input("b", "int32", [2])]));
    const divide = await backend.compile(d.build());
    await expect(divide.run({ a: tensor("int32", [2], [1, 1]), b: tensor("int32", [2], [1, 0]) })).rejects.toThrow("int32 1 / 0 at element 1");
  });

  test("int32 wraps around as 32-bit integers do, and int64 beyond 2^53 is refused rather than rounded", async () => {
    const product = async (dtype: "int32" | "int64", a: Tensor["data"], b: Tensor["data"]): Promise<Tensor> => {
      const g = new GraphBuilder("product");
      g.output("y", g.op("Mul", [g.input("a", dtype, [1]), g.input("b", dtype, [1])]));
      return (await (await backend.compile(g.build())).run({ a: { dtype, shape: [1], data: a }, b: { dtype, shape: [1], data: b } }))["y"] as Tensor; // one output
    };
    // 123456789 * 987654321 = 121932631112635269, whose low 32 bits are -67153019
    expect(toNumbers(await product("int32", Int32Array.of(123456789), Int32Array.of(987654321)))).toEqual([-67153019]);
    expect((await product("int64", BigInt64Array.of(-3n), BigInt64Array.of(5n))).data).toEqual(BigInt64Array.of(-15n));
    await expect(product("int64", BigInt64Array.of(2n ** 60n), BigInt64Array.of(1n))).rejects.toThrow("computes int64 up to 2^53");
  });

  test("shares state with its own executables only, and refuses a stopped compilation", async () => {
    const other: Executable = { ...(await backend.compile(counting())) };
    await expect(backend.compile(counting(), { shareStateWith: other })).rejects.toThrow("must be an executable of the same backend");
    await expect(backend.compile(counting(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
  });
});
