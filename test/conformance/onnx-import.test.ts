import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import {
  createTrainingGraph,
  importOnnx,
  scalar,
  sgd,
  softmaxCrossEntropy,
  tensor,
  toOnnx,
  type DType,
  type Model,
  type Tensor,
  type Tensors,
} from "../../core/index.ts";
import { compareTensors } from "./compare.ts";

interface PackedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** One file of test/golden/onnx with what ONNX Runtime answers. */
interface OnnxCase {
  readonly file: string;
  readonly dimensions: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, PackedTensor>>;
  readonly outputs: Readonly<Record<string, PackedTensor>>;
  /** How PyTorch trains the network further: the loss before each step of SGD. */
  readonly training?: { readonly labels: readonly number[]; readonly rate: number; readonly losses: readonly number[] };
}

const folder = new URL("../golden/onnx/", import.meta.url);
const cases = JSON.parse(await readFile(new URL("cases.json", folder), "utf8")) as readonly OnnxCase[];
const reference = openReference();

test.for(cases.map((item) => [item.file, item] as const))(
  "%s answers as in ONNX Runtime, and so does its export read again",
  async ([file, { dimensions, inputs, outputs }]) => {
    const model = importOnnx(await readFile(new URL(file, folder)), { dimensions });
    const feeds = unpacked(inputs);
    const answer = await run(model, feeds);
    compareTensors(answer, unpacked(outputs), { tolerance: 2e-6, what: file });

    const again = importOnnx(toOnnx(model.graph, { state: model.state }));
    expect(Object.keys(again.state).toSorted()).toEqual(Object.keys(model.state).toSorted());
    compareTensors(await run(again, feeds), answer, { tolerance: 0, what: `${file}, exported` });
  },
);

test.for(cases.flatMap((item) => (item.training === undefined ? [] : [[item.file, item, item.training] as const])))(
  "%s is trained further as PyTorch trains it, step by step",
  async ([file, { inputs }, { labels, rate, losses }]) => {
    const model = importOnnx(await readFile(new URL(file, folder)));
    const graph = createTrainingGraph(model, { loss: softmaxCrossEntropy({ output: "y" }), optimizer: sgd() });
    const executable = await reference.compile(graph, { state: model.state });
    const given: number[] = [];
    for (const [i] of losses.entries()) {
      const settings = { labels: tensor("int32", [labels.length], labels), learning_rate: scalar(rate), step: scalar(i + 1, "int64") };
      given.push(Number((await executable.run({ ...unpacked(inputs), ...settings }))["loss"]?.data[0]));
    }
    await executable.dispose();
    losses.forEach((loss, i) => expect(Math.abs((given[i] ?? Number.NaN) - loss)).toBeLessThan(1e-5));
  },
);

async function run({ graph, state }: Model, feeds: Tensors): Promise<Tensors> {
  const executable = await reference.compile(graph, { state });
  try {
    return await executable.run(feeds);
  } finally {
    await executable.dispose();
  }
}

function unpacked(tensors: Readonly<Record<string, PackedTensor>>): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, { dtype, shape, data }]): [string, Tensor] => [name, tensor(dtype, shape, data)]));
}
