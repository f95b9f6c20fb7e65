import { afterAll, describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import type { Model } from "../models/model.ts";
import { Random } from "../random.ts";
import { elementCount, tensor, toNumbers, type Tensor, type Tensors } from "../tensor.ts";
import {
  groupedQueryAttention,
  layerNormalization,
  multiHeadAttention,
  Network,
  positionEmbedding,
  rotaryEmbedding,
  sequential,
  sinePositionEncoding,
  tokenAndPositionEmbedding,
  type Layer,
} from "./index.ts";

const backend = openReference();
afterAll(() => backend.dispose());

async function run(model: Model, feeds: Tensors): Promise<Tensor> {
  const executable = await backend.compile(model.graph, { state: model.state });
  const { y } = await executable.run(feeds);
  await executable.dispose();
  return y!;
}

function draw(...shape: readonly number[]): Tensor {
  return tensor("float32", shape, new Random(elementCount(shape)).normals(elementCount(shape)));
}

async function apply(layer: Layer, x: Tensor): Promise<Tensor> {
  return run(sequential({ input: { name: "x", shape: x.shape.slice(1) }, layers: [layer], output: "y", seed: 2 }), { x });
}

/** The largest distance between elements; infinite for other numbers of them. */
function distance(found: Tensor, expected: readonly number[]): number {
  const values = toNumbers(found);
  if (values.length !== expected.length) return Infinity;
  return Math.max(...values.map((value, i) => Math.abs(value - expected[i]!)));
}

describe("attention with dropped weights is, in prediction, the operator without", () => {
  test.for<[string, (dropout: number) => Layer]>([
    ["in heads", (dropout) => multiHeadAttention({ numHeads: 2, keyDim: 4, valueDim: 3, dropout })],
    ["causal", (dropout) => multiHeadAttention({ numHeads: 2, keyDim: 4, useCausalMask: true, dropout })],
    ["with shared heads", (dropout) => groupedQueryAttention({ headDim: 4, numQueryHeads: 6, numKeyValueHeads: 2, useCausalMask: true, dropout })],
    ["turned by places", (dropout) => multiHeadAttention({ numHeads: 2, keyDim: 4, rotary: true, dropout })],
  ])("%s", async ([, layer]) => {
    const x = draw(2, 5, 6);
    expect(distance(await apply(layer(0.3), x), toNumbers(await apply(layer(0), x)))).toBeLessThan(2e-5);
  });

  test("with a mask that is an input, which says where a query may look", async () => {
    const found = await Promise.all(
      [0, 0.3].map(async (dropout) => {
        const network = new Network("masked", { seed: 2 });
        const [x, mask] = [network.input("x", [3, 4]), network.input("mask", [3, 3], { dtype: "bool" })];
        network.output("y", network.apply(multiHeadAttention({ numHeads: 2, keyDim: 4, dropout }), x, mask));
        const model = network.build();
        const allowed = [true, false, false, true, true, false, true, true, true];
        const masked = await run(model, { x: draw(1, 3, 4), mask: tensor("bool", [1, 3, 3], allowed) });
        const open = await run(model, {
          x: draw(1, 3, 4),
          mask: tensor(
            "bool",
            [1, 3, 3],
            allowed.map(() => true),
          ),
        });
        return { masked, open };
      }),
    );
    expect(distance(found[1]!.masked, toNumbers(found[0]!.masked))).toBeLessThan(2e-5);
    const causal = await apply(multiHeadAttention({ numHeads: 2, keyDim: 4, useCausalMask: true }), draw(1, 3, 4));
    expect(distance(found[0]!.masked, toNumbers(causal))).toBeLessThan(2e-5);
    expect(toNumbers(found[0]!.open)).not.toEqual(toNumbers(found[0]!.masked));
  });
});

test("rotary embedding keeps lengths, and products of two places depend on their distance alone", async () => {
  const [q, k] = [draw(1, 1, 8), draw(1, 1, 8)].map((one) => toNumbers(one));
  const repeated = (row: readonly number[]): Tensor => tensor("float32", [1, 6, 8], Array.from({ length: 6 }, () => row).flat());
  const turned = await Promise.all([q!, k!.toReversed()].map(async (row) => toNumbers(await apply(rotaryEmbedding({ heads: 2 }), repeated(row)))));
  const product = (i: number, j: number): number => {
    return Array.from({ length: 8 }, (_, f) => turned[0]![i * 8 + f]! * turned[1]![j * 8 + f]!).reduce((a, b) => a + b, 0);
  };
  expect(product(1, 3)).toBeCloseTo(product(2, 4), 4);
  expect(product(0, 5)).not.toBeCloseTo(product(0, 1), 2);
  expect(product(5, 0)).not.toBeCloseTo(product(0, 5), 2);
  const length = (i: number): number => Math.hypot(...turned[0]!.slice(i * 8, (i + 1) * 8));
  expect(length(5)).toBeCloseTo(length(0), 5);
  expect(turned[0]!.slice(0, 8)).toEqual(q); // place 0 is not turned
});

test("sine positions are the paper's: sin and cos of place / 10000^(2i / size)", async () => {
  const found = toNumbers(await apply(sinePositionEncoding(), draw(2, 3, 4)));
  const row = (place: number): number[] => [Math.sin(place), Math.cos(place), Math.sin(place / 100), Math.cos(place / 100)];
  const expected = [...row(0), ...row(1), ...row(2)];
  expect(distance(tensor("float32", [24], found), [...expected, ...expected])).toBeLessThan(2e-5);
});

test("learned positions: the first places of the longest sequence; tokens and places are added", async () => {
  const positions = positionEmbedding({ sequenceLength: 4, embeddingsInitializer: () => Float32Array.from({ length: 8 }, (_, i) => i) });
  expect(toNumbers(await apply(positions, draw(1, 3, 2)))).toEqual([0, 1, 2, 3, 4, 5]);
  const network = new Network("tokens");
  const both = tokenAndPositionEmbedding({
    vocabularySize: 3,
    sequenceLength: 2,
    embeddingDim: 2,
    embeddingsInitializer: ({ shape }) => Float32Array.from({ length: elementCount(shape) }, (_, i) => i * 10 ** (shape[0]! - 2)),
  });
  network.output("y", network.apply(both, network.input("x", [2], { dtype: "int32" })));
  // Token t is [20 t, 20 t + 10], place p is [2 p, 2 p + 1].
  expect(toNumbers(await run(network.build(), { x: tensor("int32", [1, 2], [2, 0]) }))).toEqual([40, 51, 2, 13]);
});

test("layer normalisation of channels is that of the last axis with the axes exchanged", async () => {
  const x = draw(1, 3, 4);
  const turned = tensor(
    "float32",
    [1, 4, 3],
    Array.from({ length: 12 }, (_, i) => toNumbers(x)[(i % 3) * 4 + Math.floor(i / 3)]!),
  );
  const [channels, last] = [toNumbers(await apply(layerNormalization({ axis: 1 }), x)), toNumbers(await apply(layerNormalization(), turned))];
  expect(
    distance(
      tensor("float32", [12], channels),
      Array.from({ length: 12 }, (_, i) => last[(i % 4) * 3 + Math.floor(i / 4)]!),
    ),
  ).toBeLessThan(2e-5);
});
