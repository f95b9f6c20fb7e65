import {
  EspalierError,
  findOperator,
  float16Memory,
  formatShape,
  readAttributes,
  type Graph,
  type Node,
  type Operator,
  type ValueName,
  type ValueType,
} from "../../core/index.ts";
import { inDoubles } from "./float16.ts";
import { kernels } from "./kernels/index.ts";
import type { Kernel, NumericTensor } from "./kernel.ts";

/** One node made ready to run. */
export interface Step {
  readonly node: Node;
  readonly kernel: Kernel;
  readonly outputTypes: readonly ValueType[];
  /** Values that no later step, output or update needs: their memory is let go after this step. */
  readonly lastUses: readonly ValueName[];
}

/**
 * A graph as a list of steps.
 *
 * @throws BACKEND_OPERATOR_MISSING naming every operator without a kernel; GRAPH_INVALID for values of strings
 */
export function planSteps(graph: Graph): readonly Step[] {
  const missing = [...new Set(graph.nodes.map((node) => node.operator).filter((operator) => !Object.hasOwn(kernels, operator)))].toSorted();
  if (missing.length > 0) {
    throw new EspalierError("BACKEND_OPERATOR_MISSING", `the reference backend has no ${missing.join(", ")} (graph "${graph.name}")`, {
      operators: missing,
    });
  }
  const text = Object.entries(graph.values).find(([, type]) => type.dtype === "string");
  if (text)
    throw new EspalierError("GRAPH_INVALID", `value "${text[0]}" holds strings; the reference backend computes numbers only`, { value: text[0] });

  if (Object.values(graph.values).some(({ dtype }) => dtype === "float16")) float16Memory(); // refuses now what would fail in the first run

  const lastUses = lastUsesOf(graph);
  return graph.nodes.map((node, i) => ({
    node,
    kernel: prepare(graph, node),
    outputTypes: node.outputs.map((name) => typeOf(graph, name)),
    lastUses: lastUses[i] ?? [],
  }));
}

/** How each node's work is called: by default simply so. */
export type Watch = (node: Node, work: () => void) => void;

/** Runs steps over values by name; the memory of a value is let go after its last use. */
export function runSteps(steps: readonly Step[], values: Map<ValueName, NumericTensor>, watch: Watch = runNode): void {
  for (const step of steps) watch(step.node, () => runStep(step, values));
}

function runNode(_node: Node, work: () => void): void {
  work();
}

function runStep({ node, kernel, outputTypes, lastUses }: Step, values: Map<ValueName, NumericTensor>): void {
  const results = runKernel(
    node,
    kernel,
    node.inputs.map((name) => (name === "" ? undefined : values.get(name))),
  );
  for (const [i, name] of node.outputs.entries()) {
    const result = results[i];
    if (result === undefined || !agrees(result, outputTypes[i])) {
      const given = result ? `${result.dtype} ${formatShape(result.shape)}` : "nothing";
      const said = outputTypes[i] ? `${outputTypes[i].dtype} ${formatShape(outputTypes[i].shape)}` : "nothing";
      throw new EspalierError("INTERNAL", `${node.name} (${node.operator}): the kernel gave ${given}, the graph says ${said}`, { node: node.name });
    }
    values.set(name, result);
  }
  for (const name of lastUses) values.delete(name);
}

function prepare(graph: Graph, node: Node): Kernel {
  const factory = kernels[node.operator];
  const operator = findOperator(node.operator);
  if (factory === undefined || operator === undefined) throw new EspalierError("INTERNAL", `no kernel for ${node.operator}`, { node: node.name });
  const build = node.inputs.concat(node.outputs).some((name) => graph.values[name]?.dtype === "float16") ? inDoubles(factory) : factory;
  return build({
    node,
    attributes: readAttributes(operator satisfies Operator, node.name, node.attributes),
    inputTypes: node.inputs.map((name) => (name === "" ? undefined : typeOf(graph, name))),
    outputTypes: node.outputs.map((name) => typeOf(graph, name)),
    fail: (message) => {
      throw new EspalierError("BACKEND_RUN_FAILED", `${node.name} (${node.operator}): ${message}`, { node: node.name, operator: node.operator });
    },
  });
}

function typeOf(graph: Graph, name: ValueName): ValueType {
  const type = graph.values[name];
  if (type === undefined) throw new EspalierError("GRAPH_INVALID", `graph "${graph.name}" uses "${name}", which nothing defines`, { value: name });
  return type;
}

function runKernel(node: Node, kernel: Kernel, inputs: readonly (NumericTensor | undefined)[]): readonly NumericTensor[] {
  try {
    return kernel(inputs);
  } catch (error) {
    if (error instanceof EspalierError && error.message.startsWith(node.name)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new EspalierError("BACKEND_RUN_FAILED", `${node.name} (${node.operator}): ${reason}`, { node: node.name }, { cause: error });
  }
}

function agrees(result: NumericTensor, type: ValueType | undefined): boolean {
  if (type === undefined || result.dtype !== type.dtype || result.shape.length !== type.shape.length) return false;
  return type.shape.every((size, axis) => size === "batch" || size === result.shape[axis]);
}

/** For each node, the values that are needed for the last time there. What a run returns or writes back stays. */
function lastUsesOf(graph: Graph): readonly (readonly ValueName[])[] {
  const kept = new Set([...Object.values(graph.outputs), ...Object.values(graph.updates)]);
  return graph.nodes
    .map((node) => [...new Set([...node.inputs, ...node.outputs])].filter((name) => name !== ""))
    .toReversed()
    .map((names) => {
      const last = names.filter((name) => !kept.has(name));
      for (const name of last) kept.add(name);
      return last;
    })
    .toReversed();
}
