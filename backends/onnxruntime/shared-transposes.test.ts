import { expect, test } from "vitest";
import { GraphBuilder, Random, tensor, toNumbers, type Graph, type Tensor } from "../../core/index.ts";
import { openReference } from "../reference/index.ts";
import { openOnnxRuntime } from "./backend.ts";
import { shareTransposes } from "./shared-transposes.ts";

/** q k^T and (q^T q)^T read from places [batch, places, heads, size], and k as it is for another reader. */
function products({ others = false } = {}): Graph {
  const builder = new GraphBuilder("products");
  const [q, k] = [builder.input("q", "float32", [2, 4, 5, 3]), builder.input("k", "float32", [2, 5, 4, 3])];
  const across = builder.op("Transpose", [k], { perm: [0, 2, 3, 1] }); // [2, 4, 3, 5]
  builder.output("scores", builder.op("MatMul", [q, across]));
  builder.output("rows", builder.op("Relu", [builder.op("Transpose", [k], { perm: [0, 2, 1, 3] })]));
  if (others) builder.output("across", builder.op("Relu", [across]));
  const product = builder.op("MatMul", [builder.op("Transpose", [q], { perm: [0, 1, 3, 2] }), q]); // [2, 4, 3, 3]
  builder.output("written", builder.op("Relu", [builder.op("Transpose", [product], { perm: [0, 3, 1, 2] })]));
  return builder.build();
}

function orders({ nodes }: Graph): readonly string[] {
  return nodes.flatMap(({ operator, attributes }) => (operator === "Transpose" ? [String(attributes["perm"])] : []));
}

test("products read values across whose rows were moved once, and write what is then moved by rows", () => {
  expect(orders(products()).toSorted()).toEqual(["0,1,3,2", "0,2,1,3", "0,2,3,1", "0,3,1,2"]);
  expect(orders(shareTransposes(products())).toSorted()).toEqual(["0,1,3,2", "0,1,3,2", "0,2,1,3", "0,2,1,3"]);
});

test("a transposed value that others read too stays as it is", () => {
  expect(orders(shareTransposes(products({ others: true }))).toSorted()).toEqual(["0,1,3,2", "0,2,1,3", "0,2,1,3", "0,2,3,1"]);
});

test.for([false, true])("values are the reference's (others read: %s)", async (others) => {
  const graph = products({ others });
  const feeds = {
    q: tensor("float32", [2, 4, 5, 3], new Random(1).uniforms(120, { low: -1 })),
    k: tensor("float32", [2, 5, 4, 3], new Random(2).uniforms(120, { low: -1 })),
  };
  const [backend, reference] = [await openOnnxRuntime({ thread: "inline", threads: 1 }), openReference()];
  const [given, expected] = [await (await backend.compile(graph)).run(feeds), await (await reference.compile(graph)).run(feeds)];
  for (const [name, value] of Object.entries(expected)) {
    const wanted = toNumbers(value);
    expect((given[name] as Tensor).shape).toEqual(value.shape);
    toNumbers(given[name] as Tensor).forEach((number, i) => expect(Math.abs(number - (wanted[i] ?? Number.NaN))).toBeLessThan(1e-5));
  }
  await backend.dispose();
  await reference.dispose();
});
