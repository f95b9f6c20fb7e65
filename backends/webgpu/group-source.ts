import { elementCount, toNumbers, type Node, type ValueName } from "../../core/index.ts";
import type { Group } from "./fusion.ts";
import { attributesOf } from "./kernel.ts";
import { elementRules } from "./kernels/index.ts";
import type { ElementContext } from "./kernels/element-rule.ts";
import { scalarOf, type Scalar, type Storage, type View } from "./storage.ts";
import { broadcastStrides, literal, stridedIndex, type Shader } from "./wgsl.ts";

/** What a group is written from. */
export interface GroupSourceOptions {
  readonly group: Group;
  /** WGSL: the flat index of the element. */
  readonly index: string;
  /** WGSL: the head's result at this element. */
  readonly headValue?: string;
  readonly root: (name: ValueName) => ValueName;
  /** A value's type and contents; asking for its storage puts it into memory. */
  readonly view: (name: ValueName) => View;
  readonly typeOf: (name: ValueName) => Pick<View, "dtype" | "shape" | "constant">;
  /** Where the group's result goes. */
  readonly target: Storage;
  readonly fault: (node: Node, shader: Shader, value: string, describe: (value: number) => string) => string;
  readonly fail: (node: Node, message: string) => never;
}

/** WGSL statements that compute one element of a group's result and store it. */
export function groupSource(shader: Shader, options: GroupSourceOptions): string {
  const { group, index, headValue, root, typeOf, target } = options;
  const lines: string[] = [];
  const names = new Map<ValueName, string>();
  const known = new Map<string, string>();
  let counter = 0;
  /** Every expression is computed once; a name also keeps WGSL from evaluating constants, which it refuses where the result is not finite. */
  const local = (expression: string): string => {
    const name = known.get(expression) ?? `v${(counter += 1)}`;
    if (!known.has(expression)) lines.push(`let ${name} = ${expression};`);
    known.set(expression, name);
    return name;
  };

  if (group.head && headValue !== undefined) names.set(root(group.head.outputs[0] ?? ""), headValue);
  const last = group.nodes.at(-1);
  const total = elementCount(typeOf(last?.outputs[0] ?? group.head?.outputs[0] ?? "").shape);
  for (const node of group.nodes) {
    const [output = ""] = node.outputs;
    const type = typed(typeOf(output));
    const own = elementCount(type.shape) === total ? index : "0u";
    const context = contextOf(node, { ...options, shader, type, own, names, local, statement: (text) => lines.push(text) });
    const expression = elementRules[node.operator]?.write(context) ?? options.fail(node, "has no rule");
    names.set(root(output), local(expression));
  }
  const result = (last ? names.get(root(last.outputs[0] ?? "")) : headValue) ?? "0";
  lines.push(`${shader.bind(target)}[${index}] = ${result};`);
  return lines.join("\n");
}

interface NodeScope extends GroupSourceOptions {
  readonly shader: Shader;
  readonly type: ElementContext["output"];
  /** The flat index in the node's own output. */
  readonly own: string;
  readonly names: ReadonlyMap<ValueName, string>;
  readonly local: (expression: string) => string;
  readonly statement: (text: string) => void;
}

function contextOf(node: Node, scope: NodeScope): ElementContext {
  const { shader, type, own, names, local, root, view, typeOf, fault, fail } = scope;
  const name = (k: number): ValueName => node.inputs[k] || fail(node, `input ${k} is required`);
  const at = (k: number, position: string): string => local(`${shader.bind(view(name(k)).storage)}[${position}]`);
  return {
    node,
    attributes: attributesOf(node),
    shader,
    index: own,
    output: type,
    inputCount: node.inputs.length,
    input: (k) => typed(typeOf(name(k))),
    has: (k) => (node.inputs[k] ?? "") !== "",
    constant: (k) => (node.inputs[k] ? typeOf(name(k)).constant : undefined),
    value(k) {
      const computed = names.get(root(name(k)));
      if (computed !== undefined) return computed;
      const { constant, shape, scalar } = typed(typeOf(name(k)));
      const text = constant?.data.length === 1 ? literal(toNumbers(constant)[0] ?? 0, scalar) : undefined;
      if (text !== undefined) return local(text);
      return at(k, stridedIndex(own, { shape: type.shape, strides: broadcastStrides(shape, type.shape) }));
    },
    at,
    local,
    statement: scope.statement,
    fault: (value, describe) => fault(node, shader, value, describe),
    fail: (message) => fail(node, message),
  };
}

function typed(view: Pick<View, "dtype" | "shape" | "constant">): Pick<View, "dtype" | "shape" | "constant"> & { readonly scalar: Scalar } {
  return { ...view, scalar: scalarOf(view.dtype) ?? "f32" }; // other types were refused when the graph was compiled
}
