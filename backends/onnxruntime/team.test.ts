import { expect, test } from "vitest";
import { EspalierError, GraphBuilder, Random, tensor, toNumbers, type Graph } from "../../core/index.ts";
import { openReference } from "../reference/index.ts";
import { Arena } from "./arena.ts";
import { openOnnxRuntime } from "./backend.ts";
import { planGraph } from "./plan.ts";
import { refuseRun } from "./session.ts";
import { KernelTeam } from "./team.ts";

test("threads that were called to runs without work, in quick succession, still load and hear the next", async () => {
  const arena = new Arena();
  const team = new KernelTeam(2, arena);
  await team.start();
  const table = arena.allocate("float64", [2]); // no tasks
  const graph = negative();
  const place = { memory: arena.memory, base: 0n, scratch: 64, shared: 64, share: { index: 1, count: 2 } };
  for (let run = 0; run < 200; run += 1) {
    await team.listen();
    if (run % 3 === 1) team.optimize(arena.offsetOf(table ?? []) ?? 0, () => undefined);
    team.rest();
    if (run % 50 === 49) (await team.load({ graph, key: undefined, batch: 0, isPacked: false, products: false, kernels: 0 }, [place])).release();
  }
  expect(team.isListening).toBe(false);
  await team.close();
});

test("what fails in another thread fails here", async () => {
  const arena = new Arena();
  const team = new KernelTeam(2, arena);
  await team.start();
  const table = arena.allocate("float64", [2]);
  table?.fill(99 as never);
  await team.listen();
  expect(() => team.optimize(arena.offsetOf(table ?? []) ?? 0, () => undefined)).toThrow(/another thread: RangeError: there is no optimizer 99/);
  team.rest();
  await team.close();
});

test("a thread that plans other kernels than the caller is refused", async () => {
  const arena = new Arena();
  const team = new KernelTeam(2, arena);
  const place = { memory: arena.memory, base: 0n, scratch: 64, shared: 64, share: { index: 1, count: 2 } };
  await expect(
    team.load({ graph: negative(), key: undefined, batch: 0, isPacked: false, products: false, kernels: 3 }, [place]),
  ).rejects.toMatchObject({
    code: "INTERNAL",
  });
  await team.close();
});

test("what threads planned ahead is not planned again when it is loaded, and what cannot be planned is the caller's to say", async () => {
  const arena = new Arena();
  const team = new KernelTeam(2, arena);
  const builder = new GraphBuilder("moments");
  const [mean, variance] = builder.ops("BatchMoments", [builder.input("x", "float32", [2, 3, 4, 4])], 2);
  if (mean === undefined || variance === undefined) throw new Error("two outputs were asked for");
  builder.output("mean", mean);
  const source = { key: "moments", batch: 0, isPacked: false, products: false };
  const place = { memory: arena.memory, base: 0n, scratch: 64, shared: 64, share: { index: 1, count: 2 } };
  const started = team.start();
  team.planAhead({ ...source, key: "broken", graph: { ...negative(), nodes: [{ ...negative().nodes[0]!, operator: "Absent" }] } });
  team.planAhead({ ...source, graph: builder.build() });
  await started;
  (await team.load({ ...source, graph: negative(), kernels: 1 }, [place])).release(); // which has none itself
  await expect(team.load({ ...source, key: "other", graph: negative(), kernels: 1 }, [place])).rejects.toMatchObject({ code: "INTERNAL" });
  await team.close();
});

test("a run whose threads were lost says that the backend is, not that a node failed", () => {
  const { model } = planGraph(negative());
  if (model === undefined) throw new Error("there is a node to run");
  expect(() => refuseRun(model, new EspalierError("BACKEND_LOST", "a thread is gone", {}))).toThrow(
    expect.objectContaining({ code: "BACKEND_LOST" }),
  );
  expect(() => refuseRun(model, new Error("a node failed"))).toThrow(expect.objectContaining({ code: "BACKEND_RUN_FAILED" }));
});

test("threads compute the caller's kernels where weights that nobody trains leave one of them to ONNX Runtime", async () => {
  const shape = [4, 8, 96, 96];
  const builder = new GraphBuilder("moments of a depthwise convolution");
  const weights = builder.state("w", "float32", [8, 1, 3, 3]);
  const [x, pads] = [builder.input("x", "float32", shape), [1, 1, 1, 1]];
  builder.output("y", builder.op("Conv", [x, weights], { group: 8, pads }));
  builder.ops("BatchMoments", [x], 2).forEach((value, i) => builder.output(`${i}`, value));
  const graph = builder.build();
  const random = new Random(5);
  const values = (sizes: readonly number[]) =>
    tensor(
      "float32",
      sizes,
      Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, () => random.normal()),
    );
  const [feeds, state] = [{ x: values(shape) }, { w: values([8, 1, 3, 3]) }];
  const [backend, reference] = [await openOnnxRuntime({ thread: "inline", threads: 3, leastSharedBytes: 1 }), openReference()];
  const [given, expected] = await Promise.all([backend, reference].map(async (one) => (await one.compile(graph, { state })).run(feeds)));
  for (const name of ["y", "0", "1"]) {
    const want = expected?.[name];
    if (want === undefined || given?.[name] === undefined) throw new Error(`both gave ${name}`);
    const wanted = toNumbers(want);
    const differences = toNumbers(given[name]).map((value, i) => Math.abs(value - (wanted[i] ?? Number.NaN)));
    expect(differences.reduce((a, b) => Math.max(a, b), 0)).toBeLessThan(1e-4);
  }
  await backend.dispose();
});

function negative(): Graph {
  const builder = new GraphBuilder("negative");
  builder.output("y", builder.op("Neg", [builder.input("x", "float32", [3])]));
  return builder.build();
}
