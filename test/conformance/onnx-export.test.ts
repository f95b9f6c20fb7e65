import { expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { findOperator, importOnnx, toOnnx, type Graph, type Tensors } from "../../core/index.ts";
import { compareTensors } from "./compare.ts";
import { missingKernel, runOnnx } from "./onnx-session.ts";
import { batchSizes, feedsOf, graphOf, nameOf, stateOf } from "./operator-spec.ts";
import { operatorSpecs } from "./specs.ts";

const reference = openReference();

/** What ONNX allows and ONNX Runtime does not run. */
const refusedByOnnxRuntime: Readonly<Record<string, string>> = {
  "LRN: an even size, more channels than there are": "ONNX Runtime takes odd sizes only",
  "Einsum: ...ij,...jk->...ik": "ONNX Runtime takes ellipses of one length only",
  "Einsum: ...i,...i": "ONNX Runtime takes ellipses of one length only",
};
const specs = operatorSpecs.filter(({ operator }) => findOperator(operator)?.domain !== "ai.onnx.preview.training"); // no program runs those but training ones

test.for(specs.map((spec) => [nameOf(spec), spec] as const))(
  "%s: the exported file answers in ONNX Runtime as the graph on the reference backend, and read again it is the same",
  async ([what, spec], { skip }) => {
    const graph = graphOf(spec);
    const state = stateOf(graph, spec);
    const symbolic = graph.inputs.some((input) => input.shape.includes("batch"));
    const feeds = (symbolic ? batchSizes : [1]).map((batch) => feedsOf(graph, spec, batch));
    const expected = await answers(graph, state, feeds);
    const tolerance = spec.tolerance ?? 1e-5;

    const bytes = toOnnx(graph, { state });
    const again = importOnnx(bytes);
    expect(again.graph.inputs).toEqual(graph.inputs);
    const reread = await answers(again.graph, again.state, feeds);
    reread.forEach((given, i) => compareTensors(given, expected[i] ?? {}, { tolerance: tolerance / 10, what: `${what}, read again` }));

    const known = refusedByOnnxRuntime[what];
    if (known !== undefined) skip(known);
    try {
      const given = await runOnnx(bytes, feeds);
      given.forEach((outputs, i) => compareTensors(outputs, expected[i] ?? {}, { tolerance, what: `${what}, in ONNX Runtime` }));
    } catch (error) {
      const reason = missingKernel(error);
      if (reason === undefined) throw error;
      skip(reason);
    }
  },
);

async function answers(graph: Graph, state: Tensors, runs: readonly Tensors[]): Promise<readonly Tensors[]> {
  const executable = await reference.compile(graph, { state });
  try {
    const results: Tensors[] = [];
    for (const feeds of runs) results.push(await executable.run(feeds));
    return results;
  } finally {
    await executable.dispose();
  }
}
