import { afterAll, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { tensor, toNumbers, type Tensor } from "../tensor.ts";
import { dense, gru, lstm, masking, Network, sequential, simpleRNN, timeDistributed, type Layer } from "./index.ts";

const backend = openReference();
afterAll(() => backend.dispose());

async function apply(layers: readonly Layer[], x: Tensor): Promise<readonly number[]> {
  const model = sequential({ input: { name: "x", shape: x.shape.slice(1) }, layers, output: "y", seed: 4 });
  const executable = await backend.compile(model.graph, { state: model.state });
  const { y } = await executable.run({ x });
  await executable.dispose();
  return toNumbers(y!);
}

test.for<[string, Layer]>([
  ["lstm", lstm({ units: 2 })],
  ["gru", gru({ units: 2 })],
  ["simpleRNN", simpleRNN({ units: 2 })],
])("%s over a row without a step that counts stays at its first state, and padding changes nothing", async ([, layer]) => {
  const rows = [0, 0, 0, 0, 0, 0, 0, 0, /* the next: two steps and padding */ 1, 2, 3, -1, 0, 0, 0, 0];
  const found = await apply([masking(), layer], tensor("float32", [2, 4, 2], rows));
  expect(found.slice(0, 2)).toEqual([0, 0]);
  const short = await apply([layer], tensor("float32", [1, 2, 2], [1, 2, 3, -1]));
  found.slice(2).forEach((value, i) => expect(value).toBeCloseTo(short[i]!, 6));
});

test("one layer at every step is the same whether its steps are taken at once or one by one", async () => {
  const x = tensor("float32", [1, 3, 2], [1, 2, 3, 4, 5, 6]);
  const layer = dense({ units: 2, activation: "tanh", name: "d" });
  const slow: Layer = { ...layer, placewise: false };
  expect(await apply([timeDistributed({ layer: slow })], x)).toEqual(await apply([timeDistributed({ layer })], x));
});

test("a sequence fed in two parts, with the states of the first given to the second, ends as the whole does", async () => {
  const network = new Network("stream", { seed: 4 });
  const [x, h, c] = [network.input("x", [2, 3]), network.input("h", [4]), network.input("c", [4])];
  const [y, lastH, lastC] = network.apply(lstm({ units: 4, returnState: true }), x, h, c);
  for (const [name, value] of Object.entries({ y, h_next: lastH, c_next: lastC })) network.output(name, value!);
  const stream = network.build();
  const parts = await backend.compile(stream.graph, { state: stream.state });
  const zeros = tensor("float32", [1, 4], [0, 0, 0, 0]);
  const values = Array.from({ length: 12 }, (_, i) => Math.sin(i));
  const first = await parts.run({ x: tensor("float32", [1, 2, 3], values.slice(0, 6)), h: zeros, c: zeros });
  const second = await parts.run({ x: tensor("float32", [1, 2, 3], values.slice(6)), h: first["h_next"]!, c: first["c_next"]! });
  await parts.dispose();
  const model = sequential({ input: { name: "x", shape: [4, 3] }, layers: [lstm({ units: 4 })], output: "y" });
  const whole = await backend.compile(model.graph, { state: stream.state });
  const { y: expected } = await whole.run({ x: tensor("float32", [1, 4, 3], values) });
  await whole.dispose();
  toNumbers(second["y"]!).forEach((value, i) => expect(value).toBeCloseTo(toNumbers(expected!)[i]!, 6));
});
