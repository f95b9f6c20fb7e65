import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { importOnnx, tensor, toOnnx, type DType, type Model, type Tensor, type Tensors } from "../../core/index.ts";
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
