import { elementCount, type Graph, type Node, type ValueName } from "../../core/index.ts";
import { elementRules, headOperators } from "./kernels/index.ts";

/** Nodes that one kernel runs: elementwise operators, behind a product or by themselves, or a single node of another kind. */
export interface Group {
  /** In topological order; the last one's output is written. */
  readonly nodes: readonly Node[];
  /** The product whose result the elementwise nodes take; it is not among `nodes`. */
  readonly head: Node | undefined;
}

/** What `groupNodes` knows of the graph. */
export interface GroupOptions {
  /** The nodes to run, in order. */
  readonly nodes: readonly Node[];
  readonly root: (name: ValueName) => ValueName;
  /** Values that must exist in memory: outputs and new states. */
  readonly kept: ReadonlySet<ValueName>;
  /** The most storage buffers of one kernel. */
  readonly maxBindings: number;
}

/** Bindings that a product keeps for itself: its operands, a bias, its partial sums, and the status. */
const headBindings = 5;

interface OpenGroup {
  readonly root: Node;
  readonly count: number;
  readonly members: Set<Node>;
  head: Node | undefined;
}

/**
 * Puts elementwise nodes that feed only each other into one kernel.
 *
 * Walked backwards, a node joins the group of its consumers when they are all in one group and read it element by element. Its value then
 * never touches memory, and running it later, where its last consumer is, cannot be noticed.
 */
export function groupNodes(graph: Graph, { nodes, root, kept, maxBindings }: GroupOptions): readonly Group[] {
  const consumers = new Map<ValueName, { readonly node: Node; readonly index: number }[]>();
  for (const node of nodes) {
    node.inputs.forEach((name, index) => {
      if (name === "" || elementRules[node.operator]?.host?.includes(index)) return;
      const list = consumers.get(root(name)) ?? [];
      list.push({ node, index });
      consumers.set(root(name), list);
    });
  }
  const groupOf = new Map<Node, OpenGroup>();
  const groups = new Map<Node, OpenGroup>();
  const countOf = (name: ValueName): number => elementCount((graph.values[name]?.shape ?? []).map(Number));

  for (const node of nodes.toReversed()) {
    const [output = ""] = node.outputs;
    const isElementwise = elementRules[node.operator] !== undefined;
    const isHead = headOperators.has(node.operator);
    const users = consumers.get(root(output)) ?? [];
    const group = users[0] && groupOf.get(users[0].node);
    const readsOneByOne = ({ node: user, index }: { readonly node: Node; readonly index: number }): boolean =>
      !(elementRules[user.operator]?.indirect ?? []).includes(index) &&
      user !== group?.head &&
      (countOf(user.outputs[0] ?? "") === countOf(output) || (isElementwise && countOf(output) === 1));
    const joins =
      group !== undefined &&
      (isElementwise || (isHead && group.head === undefined && countOf(output) === group.count)) &&
      !kept.has(root(output)) &&
      users.every((user) => groupOf.get(user.node) === group && readsOneByOne(user)) &&
      bindingsOf(group, node) <= maxBindings;
    if (joins) {
      if (isHead) group.head = node;
      else group.members.add(node);
      groupOf.set(node, group);
    } else {
      const own: OpenGroup = { root: node, count: countOf(output), members: new Set([node]), head: undefined };
      groups.set(node, own);
      if (isElementwise) groupOf.set(node, own);
    }
  }
  return nodes.flatMap((node) => {
    const group = groups.get(node);
    return group ? [{ nodes: nodes.filter((member) => group.members.has(member)), head: group.head }] : [];
  });

  function bindingsOf(group: OpenGroup, added: Node): number {
    const members = new Set([...group.members, added]);
    const computed = new Set([...members].flatMap((node) => node.outputs.map(root)));
    if (group.head) computed.add(root(group.head.outputs[0] ?? ""));
    const read = new Set<ValueName>();
    for (const node of members) {
      if (headOperators.has(node.operator)) continue;
      node.inputs.forEach((name, index) => {
        if (name !== "" && !elementRules[node.operator]?.host?.includes(index) && !computed.has(root(name))) read.add(root(name));
      });
    }
    const hasHead = group.head !== undefined || headOperators.has(added.operator);
    return read.size + 2 + (hasHead ? headBindings : 0); // the output and the status
  }
}
