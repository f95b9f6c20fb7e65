import { GraphBuilder } from "../../graph/builder.ts";
import type { Attribute, Dimension } from "../../graph/graph.ts";
import type { DType, Tensor } from "../../tensor.ts";

/** An input of a node under test: a float32 shape, a typed shape, a constant, or nothing. */
export type TestInput = readonly Dimension[] | { readonly dtype: DType; readonly shape: readonly Dimension[] } | Tensor | undefined;

/** What `inferred` adds one node of. */
export interface TestNode {
  readonly inputs: readonly TestInput[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
}

/** Adds one node called "node" to an empty graph; gives its outputs' types as text: "float32 batch,3". Inputs of `data` are constants. */
export function inferred(operator: string, { inputs, attributes = {}, outputs = 1 }: TestNode): readonly string[] {
  const builder = new GraphBuilder("test");
  const values = inputs.map((input, i) => {
    if (input === undefined) return undefined;
    if ("data" in input) return builder.constant(input, `x${i}`);
    return "dtype" in input ? builder.input(`x${i}`, input.dtype, input.shape) : builder.input(`x${i}`, "float32", input);
  });
  return builder.ops(operator, values, outputs, attributes, { name: "node" }).map(({ dtype, shape }) => `${dtype} ${shape.join()}`);
}
