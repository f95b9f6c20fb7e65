import { expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { elementCount, importOnnx, Random, tensor, toOnnx, type Graph, type Tensor, type Tensors } from "../../core/index.ts";
import { compareTensors } from "./compare.ts";
import { exportedModels } from "./exported-models.ts";
import { runOnnx } from "./onnx-session.ts";

const reference = openReference();

test.for([...(await exportedModels())])(
  "%s: the exported file answers in ONNX Runtime as the model on the reference backend, and read again it is the same",
  async ([name, { graph, state }]) => {
    const feeds = feedsOf(graph, 2);
    const expected = await answer(graph, state, feeds);
    const bytes = toOnnx(graph, { state });
    const [given = {}] = await runOnnx(bytes, [feeds]);
    compareTensors(given, expected, { tolerance: 2e-5, what: name });
    const again = importOnnx(bytes);
    expect(again.graph.inputs).toEqual(graph.inputs);
    compareTensors(await answer(again.graph, again.state, feeds), expected, { tolerance: 2e-6, what: `${name}, read again` });
  },
);

/** Rows of numbers; whole numbers are tokens, of which each vocabulary has 3 at least. */
function feedsOf({ inputs }: Graph, batch: number): Tensors {
  const random = new Random(41);
  return Object.fromEntries(
    inputs.map(({ name, dtype, shape }): [string, Tensor] => {
      const sizes = shape.map((size) => (size === "batch" ? batch : size));
      const count = elementCount(sizes);
      if (dtype === "float32") return [name, tensor(dtype, sizes, random.normals(count))];
      return [
        name,
        tensor(
          dtype,
          sizes,
          Array.from({ length: count }, () => (dtype === "bool" ? random.integer(2) === 1 : random.integer(3))),
        ),
      ];
    }),
  );
}

async function answer(graph: Graph, state: Tensors, feeds: Tensors): Promise<Tensors> {
  const executable = await reference.compile(graph, { state });
  try {
    return await executable.run(feeds);
  } finally {
    await executable.dispose();
  }
}
