import { findOperator } from "../../core/index.ts";
import type { ConformanceCase } from "./case.ts";
import { compareTensors } from "./compare.ts";
import { batchSizes, feedsOf, gradientInputs, graphOf, nameOf, stateOf, type OperatorSpec } from "./operator-spec.ts";

/** The cases of one spec: its values against the reference backend's, and its gradients where it has some. */
export function casesOf(spec: OperatorSpec): readonly ConformanceCase[] {
  const values = againstReference(spec, { gradients: false });
  return hasGradients(spec) ? [values, againstReference(spec, { gradients: true })] : [values];
}

/** Whether the spec's gradients are tried out. */
export function hasGradients(spec: OperatorSpec): boolean {
  const operator = findOperator(spec.operator);
  return gradientInputs(spec).length > 0 && (operator?.gradient !== undefined || operator?.lower !== undefined);
}

function againstReference(spec: OperatorSpec, { gradients }: { readonly gradients: boolean }): ConformanceCase {
  const name = `${nameOf(spec)}${gradients ? ", gradients" : ""}`;
  return {
    name,
    operator: spec.operator,
    async run(backend, reference) {
      const graph = graphOf(spec, { gradients });
      const state = stateOf(graph, spec);
      const [tested, trusted] = [await backend.compile(graph, { state }), await reference.compile(graph, { state })];
      try {
        const symbolic = graph.inputs.some((input) => input.shape.includes("batch"));
        for (const batch of symbolic ? batchSizes : [1]) {
          const feeds = feedsOf(graph, spec, batch);
          compareTensors(await tested.run(feeds), await trusted.run(feeds), {
            tolerance: spec.tolerance ?? 1e-5,
            what: symbolic ? `${name}, batch ${batch}` : name,
          });
        }
      } finally {
        await tested.dispose();
        await trusted.dispose();
      }
    },
  };
}
