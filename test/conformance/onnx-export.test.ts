import { expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { findOperator, importOnnx, toOnnx, type Graph, type Tensors } from "../../core/index.ts";
import { compareTensors } from "./compare.ts";
import { missingKernel, runOnnx } from "./onnx-session.ts";
import { batchSizes, feedsOf, graphOf, nameOf, stateOf } from "./operator-spec.ts";
import { operatorSpecs } from "./specs.ts";

const reference = openReference();

/** What ONNX allows and ONNX Runtime does not run, or runs otherwise: its backend writes these uses in simpler operators. */
const refusedByOnnxRuntime: Readonly<Record<string, string>> = {
  "LRN: one spatial axis": "ONNX Runtime takes two spatial axes only",
  "MaxPool: SAME_UPPER, dilated": "ONNX Runtime pads as if there were no dilations",
  "MaxPool: pads as wide as the kernel, dilated": "ONNX Runtime compares pads with the kernel without its dilations",
  "AveragePool: SAME_LOWER, dilated, strided": "ONNX Runtime pads as if there were no dilations",
  "LpPool: SAME_LOWER, dilated": "ONNX Runtime pads as if there were no dilations",
  "MeanVarianceNormalization: all elements equal": "ONNX Runtime adds nothing to a deviation of 0",
  "Pad: wrapped round beside an empty axis": "ONNX Runtime does not wrap values without elements",
  "ReduceMean: an empty axis": "ONNX Runtime's mean of nothing is 0",
  "ReduceMean: an axis beside an empty one": "ONNX Runtime leaves the reduced axis as it is",
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
