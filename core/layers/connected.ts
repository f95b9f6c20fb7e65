import { EspalierError } from "../errors.ts";
import type { Graph, ValueName } from "../graph/graph.ts";

/**
 * Checks that a network is one: every output depends on an input, and every input reaches an output.
 *
 * @throws GRAPH_INVALID naming the output or the input
 */
export function checkConnected({ name, inputs, outputs, nodes }: Graph): void {
  if (Object.keys(outputs).length === 0) refuse(`"${name}" has no output; name one with network.output("prediction", value)`, { graph: name });
  const writers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const names = new Set(inputs.map((input) => input.name));
  const used = new Set<ValueName>();
  for (const [output, value] of Object.entries(outputs)) {
    const reached = behind(value);
    const found = [...names].filter((input) => reached.has(input));
    if (found.length === 0) refuse(`output "${output}" of "${name}" depends on no input`, { output });
    for (const input of found) used.add(input);
  }
  const idle = [...names].filter((input) => !used.has(input));
  if (idle.length > 0)
    refuse(`input ${idle.map((input) => `"${input}"`).join(", ")} of "${name}" reaches no output; leave it out or use it`, { inputs: idle });

  function behind(value: ValueName): ReadonlySet<ValueName> {
    const seen = new Set<ValueName>([value]);
    for (const next of seen) for (const input of writers.get(next)?.inputs ?? []) if (input !== "") seen.add(input);
    return seen;
  }
}

function refuse(message: string, details: Readonly<Record<string, unknown>>): never {
  throw new EspalierError("GRAPH_INVALID", message, details);
}
