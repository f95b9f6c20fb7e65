import { describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { bindBatch, findOperator, graphFromJson, graphToJson, hashGraph, simplify, type Graph, type Tensors } from "../../core/index.ts";
import { compareTensors } from "./compare.ts";
import { hasGradients } from "./operator-case.ts";
import { feedsOf, graphOf, nameOf, stateOf, type OperatorSpec } from "./operator-spec.ts";
import { operatorSpecs } from "./specs.ts";

// Every rewriting of a graph must mean what the graph meant. Both sides run on the reference backend in float64, so a difference of
// more than a few roundings is a wrong rewriting: tolerance 1e-9 of the largest element (1e-6 where Erf's polynomial or the
// optimizers' bias correction is worked out by another formula).
const backend = openReference();
const batch = 3;

describe("on every operator and its gradients", () => {
  for (const spec of operatorSpecs) {
    const graph = graphOf(spec, { float: "float64", gradients: hasGradients(spec) });

    test(`${nameOf(spec)}: lowered as far as it goes, it computes the same`, async () => {
      const lowered = bindBatch(graph, batch, { supports: (operator) => findOperator(operator)?.lower === undefined });
      for (const node of lowered.nodes) expect(findOperator(node.operator)?.domain).toBe("");
      await expectSame(lowered, graph, spec);
    });

    test(`${nameOf(spec)}: simplified, it computes the same`, async () => {
      const simple = simplify(graph);
      expect(simple.nodes.length).toBeLessThanOrEqual(graph.nodes.length);
      expect(simplify(simple).nodes.length).toBe(simple.nodes.length);
      await expectSame(simple, graph, spec);
    });

    test(`${nameOf(spec)}: bound to a batch, it computes the same and no shape is symbolic`, async () => {
      const bound = bindBatch(graph, batch);
      for (const { shape } of Object.values(bound.values)) expect(shape).not.toContain("batch");
      await expectSame(bound, graph, spec);
    });

    test(`${nameOf(spec)}: through JSON text, it is the same graph`, () => {
      const copy = graphFromJson(JSON.parse(JSON.stringify(graphToJson(graph))));
      expect(graphToJson(copy)).toEqual(graphToJson(graph));
      expect(hashGraph(copy)).toBe(hashGraph(graph));
    });
  }
});

async function expectSame(rewritten: Graph, graph: Graph, spec: OperatorSpec): Promise<void> {
  const tolerance = spec.tolerance === undefined ? 1e-9 : 1e-6;
  compareTensors(await results(rewritten, graph, spec), await results(graph, graph, spec), { tolerance, what: nameOf(spec) });
}

async function results(tested: Graph, graph: Graph, spec: OperatorSpec): Promise<Tensors> {
  const executable = await backend.compile(tested, { state: stateOf(graph, spec) });
  const outputs = await executable.run(feedsOf(graph, spec, batch));
  await executable.dispose();
  return outputs;
}
