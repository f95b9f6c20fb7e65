import { readFile } from "node:fs/promises";
import { afterAll, expect, test } from "vitest";
import { openReference } from "../../../backends/reference/index.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { differentiate } from "../../graph/differentiate.ts";
import type { Graph } from "../../graph/graph.ts";
import { tensor, toNumbers, type DType, type Tensor, type Tensors } from "../../tensor.ts";
import { constrain, type Constraint } from "../constraint.ts";
import { regularize, type Regularizer } from "../regularizer.ts";
import * as byName from "./index.ts";

// Values and gradients that Keras and PyTorch computed in float64 (test/golden/make-losses.py).

/** Keras computes norms and maxima of float64 in float32. */
const single = 1e-7;

interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface GoldenLoss {
  readonly name: string;
  readonly loss: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly tolerance: number;
  readonly output: Packed;
  readonly labels: Packed;
  readonly weights: Packed | null;
  readonly value: number;
  readonly gradient: Packed;
}

const golden = JSON.parse(await readFile(new URL("../../../test/golden/losses.json", import.meta.url), "utf8")) as {
  readonly losses: readonly GoldenLoss[];
  readonly regularizers: readonly {
    readonly name: string;
    readonly data: Regularizer;
    readonly parameter: Packed;
    readonly value: number;
    readonly gradient: Packed;
  }[];
  readonly constraints: readonly { readonly name: string; readonly data: Constraint; readonly parameter: Packed; readonly result: Packed }[];
};
const makers = new Map<string, unknown>(Object.entries(byName));
const backend = openReference();
afterAll(() => backend.dispose());

test.for(golden.losses.map((item) => [item.name, item] as const))("%s", async ([, item]) => {
  const make = makers.get(item.loss) as (options: Readonly<Record<string, unknown>>) => byName.Loss; // the golden file names losses
  const loss = make(item.options);
  const builder = new GraphBuilder(item.name);
  const output = builder.input("output", "float64", item.loss === "inBatchSoftmax" ? ["batch", "batch"] : ["batch", ...item.output.shape.slice(1)]);
  const { dtype, shape } = loss.labels(output);
  const labelType = dtype === "float32" ? "float64" : dtype;
  const labels = builder.input("labels", labelType, shape);
  const weights = item.weights ? builder.input("weights", "float64", ["batch"]) : undefined;
  const value = loss.build(builder, output, labels, weights);
  const [gradient] = differentiate(builder, value, [output]);
  builder.output("value", value);
  builder.output("gradient", gradient!);
  loss.check(unpack(item.labels, labelType), item.output.shape.at(-1)!, "the batch");
  const found = await run(builder.build(), {
    output: unpack(item.output),
    labels: unpack(item.labels, labelType),
    ...(item.weights && { weights: unpack(item.weights) }),
  });
  expect(worst(found["value"]!, [item.value])).toBeLessThan(item.tolerance);
  expect(worst(found["gradient"]!, item.gradient.data)).toBeLessThan(item.tolerance);
});

test.for(golden.regularizers.map((item) => [item.name, item] as const))("the regularizer %s", async ([, item]) => {
  const builder = new GraphBuilder(item.name);
  const parameter = builder.input("parameter", "float64", item.parameter.shape);
  const value = regularize(builder, item.data, parameter);
  builder.output("value", value);
  builder.output("gradient", differentiate(builder, value, [parameter])[0]!);
  const found = await run(builder.build(), { parameter: unpack(item.parameter) });
  expect(worst(found["value"]!, [item.value])).toBeLessThan(single);
  expect(worst(found["gradient"]!, item.gradient.data)).toBeLessThan(single);
});

test.for(golden.constraints.map((item) => [item.name, item] as const))("the constraint %s", async ([, item]) => {
  const builder = new GraphBuilder(item.name);
  builder.output("result", constrain(builder, item.data, builder.input("parameter", "float64", item.parameter.shape)));
  const found = await run(builder.build(), { parameter: unpack(item.parameter) });
  expect(worst(found["result"]!, item.result.data)).toBeLessThan(single);
});

async function run(graph: Graph, feeds: Tensors): Promise<Tensors> {
  const executable = await backend.compile(graph);
  const outputs = await executable.run(feeds);
  await executable.dispose();
  return outputs;
}

function unpack({ shape, data }: Packed, dtype: DType = "float64"): Tensor {
  return tensor(dtype, shape, data);
}

/** The largest difference; NaN where there is one. */
function worst(found: Tensor, expected: readonly number[]): number {
  const numbers = toNumbers(found);
  expect(numbers).toHaveLength(expected.length);
  return numbers.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
}
