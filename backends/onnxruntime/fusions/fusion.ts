import type { Graph, Node, ValueName } from "../../../core/index.ts";
import type { KernelPlan, KernelType } from "../kernels/host-kernel.ts";

/** What a fusion looks for nodes with. */
export interface FusionContext {
  readonly graph: Graph;
  /** The node that computes a value, of an operator when one is given. */
  readonly producer: (value: ValueName | undefined, operator?: string) => Node | undefined;
  /** How often a value is read, as a node's input or an output of the graph. */
  readonly uses: (value: ValueName) => number;
  /** The nodes that read a value, in the graph's order. */
  readonly readers: (value: ValueName) => readonly Node[];
  /** Whether a node comes before another. */
  readonly isBefore: (node: Node, other: Node) => boolean;
  /** The number that a constant scalar is. */
  readonly number: (value: ValueName | undefined) => number | undefined;
}

/** Nodes that one kernel computes in place of several. */
export interface Fused {
  /** Values that are there before the node that was matched. */
  readonly inputs: readonly ValueName[];
  /** What it computes: outputs of the node that was matched, or of nodes before it whose readers come after it. */
  readonly outputs: readonly ValueName[];
  /** @returns undefined for shapes and types that the kernel does not take: then the nodes stay as they are */
  plan(use: { readonly inputs: readonly KernelType[]; readonly outputs: readonly KernelType[] }): KernelPlan | undefined;
}

/** Several nodes whose results one kernel of our own makes in fewer passes over memory. Nodes that nothing reads any more are left out. */
export interface Fusion {
  readonly name: string;
  /** @param node the last node of the pattern, which is where the kernel takes its place */
  match(node: Node, context: FusionContext): Fused | undefined;
}
