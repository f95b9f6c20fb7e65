import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { differentiate, GraphBuilder, tensor, type Attribute, type DType, type Tensor, type Value } from "../../core/index.ts";
import { compareTensor } from "./compare.ts";

// The reference backend against PyTorch in float64: normalizations, windows on three axes, recurrences, attention (test/golden/make-networks.py);
// functions, reductions, indexing, arrangement, interpolation, Einsum (test/golden/make-functions.py).
// Sums over many steps are added up in another order there, so a few roundings more than in golden.test.ts are allowed.
const tolerance = 1e-11;

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
  /** Null where PyTorch has no such output. */
  readonly outputs: readonly (PackedTensor | null)[];
  /** Null for outputs that the loss leaves out. */
  readonly weights: readonly (PackedTensor | null)[];
  readonly gradients: Readonly<Record<string, PackedTensor>>;
}

const cases = [...(await casesOf("networks.json")), ...(await casesOf("functions.json"))];
const reference = openReference();

describe("the reference backend agrees with PyTorch in float64", () => {
  test.for(cases.map((golden) => [golden.name, golden] as const))("%s", async ([name, golden]) => {
    const builder = new GraphBuilder(name);
    // Whole numbers are axes, labels and lengths, which shape rules may read; all else is fed.
    const values = golden.inputs.map((input, i): Value | undefined => {
      if (input === null) return undefined;
      return input.dtype === "float64" ? builder.input(`x${i}`, input.dtype, input.shape) : builder.constant(unpack(input), `x${i}`);
    });
    const outputs = builder.ops(golden.operator, values, golden.outputs.length, golden.attributes);
    const terms = outputs.flatMap((output, i) => {
      const weights = golden.weights[i];
      return weights ? [builder.op("ReduceSum", [builder.op("Mul", [output, builder.constant(unpack(weights))])], { keepdims: 0 })] : [];
    });
    const by = Object.keys(golden.gradients);
    const gradients =
      by.length === 0
        ? []
        : differentiate(
            builder,
            total(builder, terms),
            by.map((i) => values[Number(i)] as Value),
          ); // floats are there
    outputs.forEach((output, i) => builder.output(`output ${i}`, output));
    gradients.forEach((gradient, i) => builder.output(`gradient of input ${by[i]}`, gradient));

    const executable = await reference.compile(builder.build());
    const fed = golden.inputs.flatMap((input, i) => (input?.dtype === "float64" ? [[`x${i}`, unpack(input)] as const] : []));
    const results = await executable.run(Object.fromEntries(fed));
    const expected = [
      ...golden.outputs.flatMap((output, i) => (output ? [[`output ${i}`, output] as const] : [])),
      ...by.map((i) => [`gradient of input ${i}`, golden.gradients[i] as PackedTensor] as const), // its key
    ];
    for (const [what, packed] of expected) compareTensor(results[what] as Tensor, unpack(packed), { tolerance, what: `${name}, ${what}` });
    expect(expected.length).toBeGreaterThan(0);
    expect(by.length > 0).toBe(golden.weights.some((weights) => weights !== null));
  });
});

async function casesOf(file: string): Promise<readonly GoldenCase[]> {
  const text = await readFile(new URL(`../golden/${file}`, import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly cases: readonly GoldenCase[] }).cases;
}

function total(builder: GraphBuilder, terms: readonly Value[]): Value {
  return terms.reduce((a, b) => builder.op("Add", [a, b]));
}

function unpack(packed: PackedTensor): Tensor {
  return tensor(packed.dtype, packed.shape, packed.data);
}
