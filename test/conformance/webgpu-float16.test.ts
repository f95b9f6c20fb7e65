import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import {
  adam,
  convNet,
  createTrainingGraph,
  dtypeCodes,
  GraphBuilder,
  Random,
  scalar,
  softmaxCrossEntropy,
  tensor,
  toNumbers,
  type Backend,
} from "../../core/index.ts";
import { openSoftwareDawn } from "../support/dawn.ts";
import { compareTensors } from "./compare.ts";
import { hasGradients } from "./operator-case.ts";
import { feedsOf, graphOf, nameOf, stateOf } from "./operator-spec.ts";
import { operatorSpecs } from "./specs.ts";

// The engine keeps float16 as float32 and rounds each result: what the reference does, but for sums, which are float32 here.
const reference = openReference();
let backend: Backend;
beforeAll(async () => {
  backend = await openSoftwareDawn();
});
afterAll(() => backend.dispose());

/** What a network in mixed precision consists of. */
const operators =
  "Add Cast Clip Concat Conv ConvTranspose Gelu Gemm LayerNormalization MatMul MaxPool Mul ReduceSum Relu Sigmoid Slice Softmax Tanh Transpose Where".split(
    " ",
  );
const specs = operators.flatMap((operator) => operatorSpecs.filter((spec) => spec.operator === operator).slice(0, 1));

describe("webgpu computes in float16", () => {
  test("Cast has NumPy's bits: ties to even, subnormal numbers, infinities", async () => {
    const golden = JSON.parse(await readFile(new URL("../golden/float16.json", import.meta.url), "utf8")) as {
      readonly casts: { readonly values: readonly number[]; readonly bits: readonly number[] };
    }; // as test/golden/make-float16.py writes it
    const exact = golden.casts.values.map((value, i) => [value, golden.casts.bits[i]!] as const).filter(([value]) => Math.fround(value) === value);
    expect(exact.length).toBeGreaterThan(15);
    const builder = new GraphBuilder("cast");
    const half = builder.op("Cast", [builder.input("x", "float32", [exact.length])], { to: dtypeCodes.float16 });
    builder.output("y", builder.op("Cast", [half], { to: dtypeCodes.float32 })); // what the device has, not what reading it as float16 makes of it
    const executable = await backend.compile(builder.build());
    const values = exact.map(([value]) => value);
    const { y } = await executable.run({ x: tensor("float32", [exact.length], values) });
    expect(toNumbers(y!)).toEqual(Array.from(new Float16Array(Uint16Array.from(exact, ([, bits]) => bits).buffer)));
    await executable.dispose();
  });

  test.each(specs.map((spec) => [nameOf(spec), spec] as const))("%s", async (name, spec) => {
    const graph = graphOf(spec, { float: "float16", gradients: hasGradients(spec) && spec.operator !== "LayerNormalization" });
    const state = stateOf(graph, spec);
    const [tested, trusted] = [await backend.compile(graph, { state }), await reference.compile(graph, { state })];
    const feeds = feedsOf(graph, spec, 3);
    const [given, expected] = [await tested.run(feeds), await trusted.run(feeds)];
    expect(() => compareTensors(given, expected, { tolerance: 2e-3, what: name })).not.toThrow();
    await tested.dispose();
    await trusted.dispose();
  });

  test("a step in mixed precision has the reference's losses, scale and skipped updates", async () => {
    const model = convNet({ shape: [1, 8, 8], head: { task: "classification", classes: 4 }, filters: [4, 8], units: 16, seed: 2 });
    const options = { loss: softmaxCrossEntropy(), optimizer: adam({ learningRate: 0.01 }), modelOutputs: false };
    const graph = createTrainingGraph(model, { ...options, precision: "mixed_float16", lossScaling: { initialScale: 2 ** 20, growthInterval: 3 } });
    const random = new Random(7);
    const feeds = Array.from({ length: 10 }, (_, step) => ({
      image: tensor("float32", [16, 1, 8, 8], random.normals(16 * 64)),
      labels: tensor(
        "int32",
        [16],
        Array.from({ length: 16 }, (__, row) => row % 4),
      ),
      learning_rate: scalar(0.01),
      step: scalar(step + 1, "int64"),
    }));
    const traces = await Promise.all(
      [backend, reference].map(async (each) => {
        const executable = await each.compile(graph, { state: model.state });
        const losses: number[] = [];
        for (const feed of feeds) losses.push(toNumbers((await executable.run(feed))["loss"]!)[0]!);
        const state = await executable.readState(["loss_scale/scale", "loss_scale/skipped"]);
        await executable.dispose();
        return { losses, scale: Object.values(state).map(toNumbers) };
      }),
    );
    const [given, expected] = [traces[0]!, traces[1]!];
    expect(given.scale).toEqual(expected.scale);
    expect(expected.scale[1]![0]).toBeGreaterThan(0); // 2^20 is too large at first
    given.losses.forEach((loss, i) => expect(loss).toBeCloseTo(expected.losses[i]!, 2));
  });
});
