import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { differentiate, GraphBuilder, scalar, tensor, zeros, type Attribute, type DType, type Tensor, type Value } from "../../core/index.ts";
import { compareTensor } from "./compare.ts";

// The reference backend against another system: values and gradients that PyTorch computed in float64 (test/golden/make-operators.py).
// Both add up in another order at most, so they agree to a few roundings of float64.
const tolerance = 1e-12;

interface PackedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface GoldenCase {
  readonly name: string;
  readonly operator: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly inputs: readonly (PackedTensor | null)[];
  readonly output: PackedTensor;
  readonly weights: PackedTensor;
  readonly gradients: Readonly<Record<string, PackedTensor>>;
}

interface GoldenOptimizer {
  readonly name: string;
  readonly operator: "Adam" | "Momentum";
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly learning_rate: number;
  readonly first_step: number;
  readonly start: PackedTensor;
  readonly gradients: readonly PackedTensor[];
  readonly path: readonly PackedTensor[];
}

const { cases, optimizers } = JSON.parse(await readFile(new URL("../golden/operators.json", import.meta.url), "utf8")) as {
  readonly cases: readonly GoldenCase[];
  readonly optimizers: readonly GoldenOptimizer[];
};
const reference = openReference();

describe("the reference backend agrees with PyTorch in float64", () => {
  test.for(cases.map((golden) => [golden.name, golden] as const))("%s", async ([name, golden]) => {
    const builder = new GraphBuilder(name);
    // Whole numbers are axes and indices, which shape rules read; all else is fed.
    const values = golden.inputs.map((input, i): Value | undefined => {
      if (input === null) return undefined;
      return input.dtype === "int64" ? builder.constant(unpack(input), `x${i}`) : builder.input(`x${i}`, input.dtype, input.shape);
    });
    const output = builder.op(golden.operator, values, golden.attributes);
    const product = builder.op("Mul", [output, builder.input("weights", "float64", golden.weights.shape)]);
    const by = Object.keys(golden.gradients);
    const gradients = differentiate(
      builder,
      builder.op("ReduceSum", [product], { keepdims: 0 }),
      by.map((i) => values[Number(i)] as Value),
    ); // floats are there
    builder.output("output", output);
    gradients.forEach((gradient, i) => builder.output(`d${by[i]}`, gradient));

    const executable = await reference.compile(builder.build());
    const fed = golden.inputs.flatMap((input, i) => (input === null || input.dtype === "int64" ? [] : [[`x${i}`, unpack(input)] as const]));
    const results = await executable.run({ ...Object.fromEntries(fed), weights: unpack(golden.weights) });
    compareTensor(results["output"] as Tensor, unpack(golden.output), { tolerance, what: `${name}, output` });
    for (const i of by)
      compareTensor(results[`d${i}`] as Tensor, unpack(golden.gradients[i]), { tolerance, what: `${name}, gradient of input ${i}` });
    expect(by.length).toBeGreaterThan(0);
  });

  test.for(optimizers.map((golden) => [golden.name, golden] as const))("%s, four steps", async ([, golden]) => {
    const shape = golden.start.shape;
    const builder = new GraphBuilder(golden.name);
    const [rate, step] = [builder.input("rate", "float64", []), builder.input("step", "int64", [])];
    const gradient = builder.input("gradient", "float64", shape);
    const names = ["parameter", ...(golden.operator === "Adam" ? ["v", "h"] : ["v"])];
    const [parameter, ...slots] = names.map((name) => builder.state(name, "float64", shape));
    const updated = builder.ops(golden.operator, [rate, step, parameter, gradient, ...slots], names.length, golden.attributes);
    names.forEach((name, i) => builder.update(name, updated[i] as Value)); // as many as were asked for

    const executable = await reference.compile(builder.build(), { state: { parameter: unpack(golden.start), v: zeros("float64", shape) } });
    for (const [i, packed] of golden.gradients.entries()) {
      await executable.run({ rate: scalar(golden.learning_rate, "float64"), step: scalar(golden.first_step + i, "int64"), gradient: unpack(packed) });
      const state = await executable.readState(["parameter"]);
      compareTensor(state["parameter"] as Tensor, unpack(golden.path[i]), { tolerance, what: `${golden.name}, step ${i + 1}` });
    }
    expect(golden.gradients.length).toBe(4);
  });
});

function unpack(packed: PackedTensor | undefined): Tensor {
  if (packed === undefined) throw new Error("the golden file lacks a tensor");
  return tensor(packed.dtype, packed.shape, packed.data);
}
