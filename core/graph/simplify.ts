import { elementCount } from "../tensor.ts";
import { findOperator } from "../operators/index.ts";
import type { Value } from "../operators/operator.ts";
import type { GraphBuilder } from "./builder.ts";
import { constantOf } from "./constant-of.ts";
import type { Graph, Node, ValueName } from "./graph.ts";
import { withoutNode } from "./identities.ts";
import { emptyConstant, fillOfNothing } from "./nothing.ts";
import { attributesKey } from "./attributes-key.ts";
import { rewrite } from "./rewrite.ts";

/**
 * The same graph with less to do: constants folded, repeated nodes merged, nodes that only repeat a value and dead nodes left out.
 *
 * What has no elements is a constant, and so is what a reduction of no elements gives. Inputs, state, outputs and updates stay, and so do their names. An output or update that turns out to be an input, a state value
 * or a constant keeps an Identity before it, so that backends meet only computed ones. x + 0 counts as x (also for x = -0).
 */
export function simplify(graph: Graph): Graph {
  let before = graph;
  for (;;) {
    const after = withoutDeadNodes(new Simplifier(before).run());
    if (after.nodes.length >= before.nodes.length && Object.keys(after.constants).length >= Object.keys(before.constants).length) return after;
    before = after;
  }
}

/** One pass over a graph, front to back. */
class Simplifier {
  readonly #graph: Graph;
  readonly #public: ReadonlySet<ValueName>;
  readonly #producers = new Map<ValueName, Node>();
  /** Nodes and small constants by what they are. */
  readonly #known = new Map<string, readonly Value[]>();
  readonly #constants = new Map<string, ValueName>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#public = new Set([...Object.values(graph.outputs), ...Object.values(graph.updates)]);
  }

  run(): Graph {
    return rewrite(this.#graph, { node: (builder, node) => this.#visit(builder, node) });
  }

  #visit(builder: GraphBuilder, original: Node): readonly Value[] {
    const node = { ...original, inputs: original.inputs.map((name) => this.#sameConstant(builder, name)) };
    const empty = this.#emptyOutputs(builder, node);
    if (empty !== undefined) return empty;
    const already = builder.nodes.length;
    const value = this.#replacement(builder, node);
    for (const made of builder.nodes.slice(already)) this.#remember(made);
    if (value === undefined) return this.#merged(builder, node);
    if (this.#producers.has(value.name) || !node.outputs.some((output) => this.#public.has(output))) return [value];
    return this.#merged(builder, { ...node, operator: "Identity", inputs: [value.name], attributes: {} });
  }

  /** The outputs of a node that computes no elements at all. */
  #emptyOutputs(builder: GraphBuilder, node: Node): readonly Value[] | undefined {
    if (node.operator === "Identity") return undefined;
    const contents = builder.typesOf(node).map(emptyConstant);
    if (!contents.every((content) => content !== undefined)) return undefined;
    return contents.map((content, i) => {
      const [value, output = ""] = [builder.constant(content), node.outputs[i]];
      if (!this.#public.has(output)) return value;
      const [named = value] = builder.addNode({
        name: i === 0 ? node.name : output,
        operator: "Identity",
        inputs: [value.name],
        outputs: [output],
        attributes: {},
      });
      return named;
    });
  }

  /** What makes the node superfluous: a constant or an earlier value. */
  #replacement(builder: GraphBuilder, node: Node): Value | undefined {
    const types = builder.typesOf(node);
    const [type] = types;
    if (type === undefined || types.length !== 1) return undefined;
    const folded = constantOf(builder, node, type);
    if (folded !== undefined) return builder.constant(folded);
    const fill = fillOfNothing(builder, node, type);
    if (fill !== undefined) return builder.op("Expand", [builder.scalar(fill.value, type.dtype), builder.ints(fill.shape)]);
    return withoutNode({ builder, producer: (name) => this.#producers.get(name) }, node, type);
  }

  #merged(builder: GraphBuilder, node: Node): readonly Value[] {
    if (findOperator(node.operator)?.isDistinct === true) return this.#added(builder, node);
    const key = JSON.stringify([node.operator, node.inputs, node.outputs.length, attributesKey(node)]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const values = this.#added(builder, node);
    this.#known.set(key, values);
    return values;
  }

  #added(builder: GraphBuilder, node: Node): readonly Value[] {
    const values = builder.addNode(node);
    this.#remember(node);
    return values;
  }

  #remember(node: Node): void {
    for (const output of node.outputs) this.#producers.set(output, node);
  }

  /** The first of the small constants with the same contents. */
  #sameConstant(builder: GraphBuilder, name: ValueName): ValueName {
    const constant = builder.constantOf(name);
    if (constant === undefined || elementCount(constant.shape) > 64) return name;
    const key = JSON.stringify([constant.dtype, constant.shape, Array.from(constant.data, keyOf)]);
    const first = this.#constants.get(key) ?? name;
    this.#constants.set(key, first);
    return first;
  }
}

function keyOf(element: number | bigint | string): string {
  return Object.is(element, -0) ? "-0" : String(element);
}

function withoutDeadNodes(graph: Graph): Graph {
  const used = new Set([...Object.values(graph.outputs), ...Object.values(graph.updates)]);
  const nodes = graph.nodes.toReversed().filter((node) => {
    if (!node.outputs.some((output) => used.has(output))) return false;
    for (const input of node.inputs) used.add(input);
    return true;
  });
  const lasting = new Set([...graph.inputs, ...graph.state].map(({ name }) => name));
  for (const node of nodes) for (const output of node.outputs) used.add(output);
  const kept = <T>(record: Readonly<Record<string, T>>, keep: (name: string) => boolean): Record<string, T> =>
    Object.fromEntries(Object.entries(record).filter(([name]) => keep(name)));
  return {
    ...graph,
    nodes: nodes.toReversed(),
    constants: kept(graph.constants, (name) => used.has(name)),
    values: kept(graph.values, (name) => used.has(name) || lasting.has(name)),
  };
}
