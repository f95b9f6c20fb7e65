import { readAttributes } from "../operators/attributes.ts";
import { findOperator } from "../operators/index.ts";
import type { Operator, Value } from "../operators/operator.ts";
import { EspalierError } from "../errors.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Graph, Node, ValueName } from "./graph.ts";
import { rewrite } from "./rewrite.ts";

/** What stays as it predicts. */
export interface TrainingFormOptions {
  /** Whether a state value is not to change; a node whose running statistics are frozen keeps its prediction's form. Default: none is. */
  readonly isFrozen?: (state: ValueName) => boolean;
}

/**
 * A prediction's graph as training runs it: dropout and noise with fed random numbers (inputs that say how they are drawn), normalisation by the
 * batch's statistics, with updates of the running ones.
 *
 * State that two nodes write (a shared layer) is written in their order, each from the other's result.
 */
export function trainingForm(graph: Graph, { isFrozen = () => false }: TrainingFormOptions = {}): Graph {
  const differs = (node: Node): boolean => findOperator(node.operator)?.training !== undefined && !node.inputs.some(isFrozen);
  if (!graph.nodes.some(differs)) return graph;
  const written = new Map<ValueName, Value>();
  return rewrite(graph, {
    node(builder, node) {
      const operator = findOperator(node.operator);
      if (operator?.training === undefined || !differs(node)) return builder.addNode(node);
      return builder.scope(node.name, () => writeNode(builder, { node, operator, written }));
    },
    finish(builder) {
      for (const [state, value] of written) builder.update(state, value);
    },
  });
}

interface TrainedNode {
  readonly node: Node;
  readonly operator: Operator;
  /** The last values written to state in this step. */
  readonly written: Map<ValueName, Value>;
}

function writeNode(builder: GraphBuilder, { node, operator, written }: TrainedNode): readonly Value[] {
  const inputs = node.inputs.map((name) => (name === "" ? undefined : (written.get(name) ?? builder.value(name))));
  const fail = (message: string): never => {
    throw new EspalierError("GRAPH_INVALID", `${node.name} (${operator.name}): ${message}`, { node: node.name });
  };
  const outputs = operator.training?.({
    emit: builder,
    inputs,
    outputTypes: builder.typesOf(node),
    attributes: readAttributes(operator, node.name, node.attributes),
    input: (index) => inputs[index] ?? fail(`input ${index} is required`),
    constant: (index) => builder.constantOf(node.inputs[index] ?? ""),
    random: (random, dtype, shape) => builder.input(builder.freshName("random"), dtype, shape, { random }),
    update(index, value) {
      const state = node.inputs[index] ?? "";
      if (builder.stateOf(state) === undefined) {
        fail(
          `input ${index} ("${state}") is no state: training has to write its running statistics back; make it a statistic, or freeze the node's state`,
        );
      }
      written.set(state, value);
    },
  });
  return outputs ?? [];
}
