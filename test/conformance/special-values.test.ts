import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import { openReference } from "../../backends/reference/index.ts";
import {
  differentiate,
  GraphBuilder,
  tensor,
  toNumbers,
  type Attribute,
  type Backend,
  type Tensor,
  type Tensors,
  type Value,
} from "../../core/index.ts";
import { compareTensor } from "./compare.ts";

// NaN, infinities, zeros and ties: what the backends make of them against what PyTorch makes of them (test/golden/make-special-values.py).

interface PackedTensor {
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

interface SpecialCase {
  readonly name: string;
  readonly operator: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly inputs: readonly PackedTensor[];
  readonly constants: readonly (number | readonly number[])[];
  readonly output: PackedTensor;
  readonly gradients: readonly PackedTensor[];
}

const cases = JSON.parse(await readFile(new URL("../golden/special-values.json", import.meta.url), "utf8")) as readonly SpecialCase[];

/** What ONNX Runtime's float32 kernels do otherwise, and no graph mends without a pass of its own over the values. */
const otherwise: Readonly<Record<string, string>> = {
  MaxPool: "its MaxPool passes NaN over, and the largest of -Infinity is the lowest float32",
  "MaxPool, padded": "its MaxPool passes NaN over, and the largest of -Infinity is the lowest float32",
  GlobalMaxPool: "its GlobalMaxPool passes NaN over, and the largest of -Infinity is the lowest float32",
  ReduceMax: "its ReduceMax passes over a NaN that is not first",
  ReduceMin: "its ReduceMin passes over a NaN that is not first",
};

const reference = openReference();
let onnxRuntime: Backend;
beforeAll(async () => {
  onnxRuntime = await openOnnxRuntime();
});
afterAll(() => onnxRuntime.dispose());

describe("NaN, infinities, zeros and ties give what they give in PyTorch", () => {
  test.for(cases.map((special) => [special.name, special] as const))("%s, on the reference backend", async ([, special]) => {
    await expect(check(reference, special)).resolves.toBeUndefined();
  });

  test.for(cases.map((special) => [special.name, special] as const))("%s, on onnxruntime", async ([name, special], { skip }) => {
    const reason = otherwise[name];
    if (reason !== undefined) skip(reason);
    await expect(check(onnxRuntime, special)).resolves.toBeUndefined();
  });
});

describe("where PyTorch's gradient is another, ours is the rule that its operator states", () => {
  const rules: Readonly<
    Record<string, { readonly build: (b: GraphBuilder, x: Value) => Value; readonly x: readonly number[]; readonly dx: readonly number[] }>
  > = {
    // A comparison with NaN is false: nothing passes.
    "Relu of NaN passes nothing": { build: (b, x) => b.op("Relu", [x]), x: [NaN, Infinity, -Infinity, 0], dx: [0, 1, 0, 0] },
    "Clip of NaN passes nothing, and its ends belong to the inside": {
      build: (b, x) => b.op("Clip", [x, b.scalar(-1, "float32"), b.scalar(1, "float32")]),
      x: [NaN, Infinity, -Infinity, -1, 1, 0.5],
      dx: [0, 0, 0, 1, 1, 1],
    },
    "Abs of NaN is NaN in its gradient too, and has none at 0": { build: (b, x) => b.op("Abs", [x]), x: [NaN, -Infinity, 0], dx: [NaN, -1, 0] },
    "Max shares among equal ones, and with a NaN there is no largest": {
      build: (b, x) => b.op("Max", [x, b.constant(tensor("float32", [4], [1, 2, 1, NaN]))]),
      x: [1, 1, NaN, 1],
      dx: [0.5, 0, NaN, NaN],
    },
    "Pow has the slope 0 for an exponent of 0, whatever the base": {
      build: (b, x) => b.op("Pow", [x, b.scalar(0, "float32")]),
      x: [0, NaN, Infinity, -2],
      dx: [0, 0, 0, 0],
    },
  };
  test.for(Object.entries(rules))("%s", async ([, { build, x, dx }]) => {
    const b = new GraphBuilder("rule");
    const input = b.input("x", "float32", [x.length]);
    const [gradient] = differentiate(b, b.op("ReduceSum", [build(b, input)], { keepdims: 0 }), [input]);
    b.output("dx", gradient as Value); // one was asked for
    for (const backend of [reference, onnxRuntime]) {
      const { dx: given } = await runOnce(backend, b, { x: tensor("float32", [x.length], x) });
      expect({ backend: backend.name, dx: toNumbers(given as Tensor) }).toEqual({ backend: backend.name, dx });
    }
  });
});

test("a window of max pooling with a NaN gives its gradient to one of its places and to no other window's, in a training step too", async () => {
  const numbers = [1, 2, 5, NaN, 3, 4, 6, 7, NaN, 8, 1, 2, 9, 10, 4, 3];
  const b = new GraphBuilder("pool");
  const x = b.state("x", "float32", [1, 1, 4, 4]);
  const pooled = b.op("MaxPool", [x], { kernel_shape: [2, 2], strides: [2, 2] });
  const weighted = b.op("Mul", [pooled, b.constant(tensor("float32", [1, 1, 2, 2], [1, 10, 100, 1000]))]);
  const [dx] = differentiate(b, b.op("ReduceSum", [weighted], { keepdims: 0 }), [x]);
  b.output("y", pooled);
  b.update("x", dx as Value); // one was asked for
  for (const backend of [reference, onnxRuntime]) {
    const executable = await backend.compile(b.build(), { state: { x: tensor("float32", [1, 1, 4, 4], numbers) } });
    await executable.run({});
    const given = toNumbers((await executable.readState(["x"]))["x"] as Tensor); // it was asked for
    await executable.dispose();
    const windowSum = (first: number): number => [0, 1, 4, 5].reduce((sum, at) => sum + (given[first + at] ?? NaN), 0);
    const largest = [given[5], given[14]]; // windows without a NaN: their largest elements
    expect({ backend: backend.name, sums: [0, 2, 8, 10].map(windowSum), largest }).toEqual({
      backend: backend.name,
      sums: [1, 10, 100, 1000],
      largest: [1, 1000],
    });
  }
});

async function check(backend: Backend, { name, operator, attributes, inputs, constants, output, gradients }: SpecialCase): Promise<void> {
  const b = new GraphBuilder(name);
  const values = inputs.map(({ shape }, i) => b.input(`x${i}`, "float32", shape));
  const fixed = constants.map((value) =>
    b.constant(typeof value === "number" ? tensor("int64", [], [value]) : tensor("int64", [value.length], value)),
  );
  const condition = operator === "Where" ? [b.op("Greater", [values[0], b.scalar(0, "float32")])] : [];
  const y = b.op(operator, [...condition, ...values, ...fixed], attributes);
  b.output("y", y);
  if (gradients.length > 0) {
    const results = differentiate(b, b.op("ReduceSum", [y], { keepdims: 0 }), values);
    results.forEach((gradient, i) => b.output(`dx${i}`, gradient));
  }
  const feeds = Object.fromEntries(inputs.map((input, i) => [`x${i}`, unpack(input)]));
  const given = await runOnce(backend, b, feeds);
  const expected = { y: output, ...Object.fromEntries(gradients.map((gradient, i) => [`dx${i}`, gradient])) };
  for (const [key, packed] of Object.entries(expected))
    compareTensor(given[key] as Tensor, unpack(packed), { tolerance: 1e-5, what: `${name}, ${key}` });
}

async function runOnce(backend: Backend, builder: GraphBuilder, feeds: Tensors): Promise<Tensors> {
  const executable = await backend.compile(builder.build());
  try {
    return await executable.run(feeds);
  } finally {
    await executable.dispose();
  }
}

function unpack({ shape, data }: PackedTensor): Tensor {
  return tensor("float32", shape, data.map(Number));
}
