import { bindBatch, EspalierError, operators, type Backend, type Graph, type Operator } from "../../core/index.ts";
import type { Skips } from "./case.ts";
import { conformanceCases } from "./cases.ts";
import { hasGradients } from "./operator-case.ts";
import { graphOf } from "./operator-spec.ts";
import { operatorSpecs } from "./specs.ts";

/** How a backend runs an operator. */
export type Support = "native" | "lowered" | "missing";

/** A column of the table. */
export interface TableBackend {
  readonly name: string;
  readonly capabilities: Backend["capabilities"];
}

/** How many case graphs hold each operator, by name. */
export function caseCounts(): ReadonlyMap<string, number> {
  return new Map(operators.map(({ name }) => [name, graphsWith(name).length]));
}

/** `native`: a kernel of its own. `lowered`: core writes it in operators that the backend has. */
export function supportOf({ name }: Operator, { operators: own }: Backend["capabilities"]): Support {
  if (own.has(name)) return "native";
  return graphsWith(name).some((graph) => lowers(graph, (operator) => own.has(operator))) ? "lowered" : "missing";
}

/** docs/backends.md, whole. `skips` also has those of backends that run in browsers alone, which have no column. */
export function renderTable(backends: readonly TableBackend[], skips: Readonly<Record<string, Skips>>): string {
  const counts = caseCounts();
  const rows = operators
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((operator) => {
      const cells = backends.map(({ capabilities }) => supportOf(operator, capabilities));
      const name = operator.domain === "" ? operator.name : `${operator.name} (${operator.domain})`;
      return `| ${[name, counts.get(operator.name) ?? 0, ...cells].join(" | ")} |`;
    });
  const skipped = Object.entries(skips).flatMap(([name, cases]) =>
    Object.entries(cases).map(([about, reason]) => `| ${name} | ${about} | ${reason} |`),
  );
  return `${[
    "# What each backend runs",
    "",
    "Written by `npm run backends:table` from the backends' capabilities and the conformance suite; a test fails when it is stale. Do not edit.",
    "",
    `Every backend passes the same ${conformanceCases().length} cases (\`test/conformance\`), but for those listed at the end: values and gradients of every operator`,
    "against the `reference` backend, losses of whole training steps to 1e-4 over 50 steps, and what an executable promises. The reference backend's",
    "gradients agree with finite differences in float64 to 1e-6, and its values and gradients with PyTorch's to 1e-12 (`test/golden`).",
    "",
    "`native`: the backend has a kernel, or a lowering of its own. `lowered`: core writes the operator in others that the backend has.",
    "`missing`: a graph with it is refused when it is compiled. The column `graphs` counts the tried graphs that hold the operator.",
    "",
    `| operator | graphs | ${backends.map(({ name }) => name).join(" | ")} |`,
    `|---|--:|${backends.map(() => "---").join("|")}|`,
    ...rows,
    "",
    "## Cases that a backend does not pass",
    "",
    ...(skipped.length === 0 ? ["None."] : ["| backend | case | reason |", "|---|---|---|", ...skipped]),
  ].join("\n")}\n`;
}

let graphs: readonly Graph[] | undefined;

function graphsWith(operator: string): readonly Graph[] {
  graphs ??= operatorSpecs.flatMap((spec) => (hasGradients(spec) ? [graphOf(spec), graphOf(spec, { gradients: true })] : [graphOf(spec)]));
  return graphs.filter((graph) => graph.nodes.some((node) => node.operator === operator));
}

function lowers(graph: Graph, supports: (operator: string) => boolean): boolean {
  try {
    bindBatch(graph, 1, { supports });
    return true;
  } catch (error) {
    if (error instanceof EspalierError && error.code === "BACKEND_OPERATOR_MISSING") return false;
    throw error;
  }
}
