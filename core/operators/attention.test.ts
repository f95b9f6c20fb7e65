import { expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { lower } from "../graph/lower.ts";
import { tensor, toNumbers, type Tensor } from "../tensor.ts";
import { inferred, type TestInput } from "./testing/infer.ts";

const heads = [
  ["batch", 4, 3, 8],
  ["batch", 2, 5, 8],
  ["batch", 2, 5, 6],
] as const;
const flat = [
  ["batch", 3, 12],
  ["batch", 5, 6],
  ["batch", 5, 8],
] as const;

test("Attention gives one vector of V's size for each query and head, or all heads' beside each other", () => {
  expect(inferred("Attention", { inputs: heads })).toEqual(["float32 batch,4,3,6"]);
  expect(inferred("Attention", { inputs: flat, attributes: { q_num_heads: 4, kv_num_heads: 2 } })).toEqual(["float32 batch,3,16"]);
  const past = [...heads, undefined, ["batch", 2, 7, 8], ["batch", 2, 7, 6]] as const;
  expect(inferred("Attention", { inputs: past, outputs: 3 })).toEqual(["float32 batch,4,3,6", "float32 batch,2,12,8", "float32 batch,2,12,6"]);
});

test("Attention refuses heads, lengths, masks and pasts that do not go together, and what it has not", () => {
  const attention = (inputs: readonly TestInput[], attributes: Record<string, number> = {}, outputs = 1) => {
    return (): unknown => inferred("Attention", { inputs, attributes, outputs });
  };
  const [q, k, v] = heads;
  expect(attention([q, ["batch", 3, 5, 8], ["batch", 3, 5, 6]])).toThrow(/4 query heads do not share 3 key heads evenly/);
  expect(attention([q, ["batch", 2, 5, 7], v])).toThrow(/K must be \[batch, 2, 5, 8\] to go with Q \[batch, 4, 3, 8\], not \[batch, 2, 5, 7\]/);
  expect(attention([q, k, ["batch", 2, 4, 6]])).toThrow(/V must be as long as K \[batch, 2, 5, 8\]/);
  expect(attention([q, k, ["batch", 5, 12]])).toThrow(/all be of rank 3 or all of rank 4/);
  expect(attention(flat)).toThrow(/rank 3 need q_num_heads and kv_num_heads/);
  expect(attention(flat, { q_num_heads: 5, kv_num_heads: 2 })).toThrow(/do not divide into 5 and 2 heads/);
  expect(attention(heads, { q_num_heads: 3 })).toThrow(/q_num_heads is 3, but there are 4 heads/);
  expect(attention([...heads, [3, 4]])).toThrow(/do not broadcast: 5 is not 4/);
  expect(attention([...heads, ["batch", 1, 1, 3, 5]])).toThrow(/is larger than the scores \[batch, 4, 3, 5\]/);
  expect(attention(heads, {}, 2)).toThrow(/outputs with a past alone/);
  expect(attention([...heads, undefined, ["batch", 2, 7, 8]])).toThrow(/inputs 4 and 5\) come together/);
  expect(attention([...heads, undefined, ["batch", 2, 7, 8], ["batch", 2, 6, 6]])).toThrow(/input 5 must be \[batch, 2, 7, 6\]/);
  expect(attention(heads, { qk_matmul_output_mode: 1 })).toThrow(/qk_matmul_output is not there/);
  expect(attention(heads, { softcap: -1 })).toThrow(/softcap must be 0 \(none\) or above, not -1/);
});

test("a query that may see nothing is 0, by bools, by -Infinity and beside a causal mask, in the kernel and in the lowering", async () => {
  const none = -Infinity;
  const masks = { bools: tensor("bool", [2, 2], [false, false, true, false]), floats: tensor("float32", [2, 2], [none, none, 0, none]) };
  for (const mask of [masks.bools, masks.floats, tensor("float32", [2, 2], [none, 5, 0, none])]) {
    const builder = new GraphBuilder("blind");
    const [q, k, v] = ["q", "k", "v"].map((name) => builder.input(name, "float32", [1, 1, 2, 1]));
    const isCausal = mask !== masks.bools && mask !== masks.floats;
    builder.output("y", builder.op("Attention", [q, k, v, builder.constant(mask)], { is_causal: isCausal ? 1 : 0 }));
    const graph = builder.build();
    const feed = tensor("float32", [1, 1, 2, 1], [4, -9]);
    const feeds = { q: feed, k: feed, v: tensor("float32", [1, 1, 2, 1], [3, 5]) };
    for (const form of [graph, lower(graph, (operator) => operator !== "Attention")]) {
      const results = await (await openReference().compile(form)).run(feeds);
      expect(toNumbers(results["y"] as Tensor)).toEqual([0, 3]); // the second query sees the first place alone
    }
  }
});

test("RotaryEmbedding keeps X's shape, and refuses caches, positions and parts that do not fit", () => {
  const rotary = (inputs: readonly TestInput[], attributes: Record<string, number> = {}) => {
    return (): unknown => inferred("RotaryEmbedding", { inputs, attributes });
  };
  const x = ["batch", 2, 3, 8] as const;
  expect(rotary([x, [1, 3, 4], [1, 3, 4]])()).toEqual(["float32 batch,2,3,8"]);
  expect(rotary([["batch", 3, 16], [9, 2], [9, 2], { dtype: "int64", shape: ["batch", 3] }], { num_heads: 2, rotary_embedding_dim: 4 })()).toEqual([
    "float32 batch,3,16",
  ]);
  expect(rotary([x, [1, 3, 3], [1, 3, 4]])).toThrow(/cos_cache must be \[1, 3, 4\], not \[1, 3, 3\]/);
  expect(rotary([x, [9, 4], [9, 4], { dtype: "int64", shape: ["batch", 4] }])).toThrow(/position_ids must be \[batch, 3\], not \[batch, 4\]/);
  expect(rotary([x, [1, 3, 4], [1, 3, 4]], { rotary_embedding_dim: 3 })).toThrow(/must be even and at most 8, not 3/);
  expect(
    rotary([
      ["batch", 3, 16],
      [1, 3, 4],
      [1, 3, 4],
    ]),
  ).toThrow(/16 features do not divide into num_heads 0/);
});

test("NegativeLogLikelihoodLoss gives a scalar, or one loss a label with reduction none", () => {
  const inputs = [["batch", 5, 2], { dtype: "int64", shape: ["batch", 2] }] as const;
  expect(inferred("NegativeLogLikelihoodLoss", { inputs })).toEqual(["float32 "]);
  expect(inferred("NegativeLogLikelihoodLoss", { inputs, attributes: { reduction: "none" } })).toEqual(["float32 batch,2"]);
  expect(() => inferred("NegativeLogLikelihoodLoss", { inputs: [...inputs, [4]] })).toThrow(/class weights must be \[5\], not \[4\]/);
});
