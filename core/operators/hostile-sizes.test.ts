import { expect, test } from "vitest";
import { graphFromJson, type GraphLimits } from "../graph/from-json.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { graphToJson } from "../graph/json.ts";
import { scalar, tensor, type Tensor } from "../tensor.ts";
import { inferred, type TestNode } from "./testing/infer.ts";

const ints = (...values: readonly number[]): Tensor => tensor("int64", [values.length], values);
const huge = 2 ** 40;

const nodes: Readonly<Record<string, TestNode>> = {
  Tile: { inputs: [["batch", 2], ints(1, huge)] },
  Expand: { inputs: [[1], ints(huge)] },
  Pad: { inputs: [[2, 3], ints(0, huge, 0, 0)] },
  OneHot: { inputs: [{ dtype: "int64", shape: [1000, 1000] }, scalar(1e6, "int64"), [2]] },
  Range: { inputs: [scalar(0, "int64"), scalar(1e15, "int64"), scalar(1, "int64")] },
  Resize: { inputs: [[2, 3], undefined, tensor("float32", [2], [1, 1e12])] },
  DepthToSpace: { inputs: [["batch", 0, 2 ** 20, 2 ** 20]], attributes: { blocksize: 2 ** 20 } },
  EyeLike: { inputs: [[2 ** 20, 2 ** 20]] },
};

test.each(Object.entries(nodes).filter(([operator]) => operator !== "DepthToSpace"))(
  "%s refuses to make more elements than any backend holds, before it allocates any",
  (operator, node) => {
    expect(() => inferred(operator, node)).toThrow(/the result would be .*, more than 2147483648 elements/);
  },
);

test("a size beyond the whole numbers is refused, also where another size is 0", () => {
  expect(() => inferred("DepthToSpace", nodes["DepthToSpace"] ?? { inputs: [] })).not.toThrow();
  expect(() => inferred("Resize", { inputs: [[0, 3], undefined, tensor("float32", [2], [1, 1e30])] })).toThrow(/a size must be a whole number/);
});

test("a graph that is read may ask for less than the builder allows", () => {
  const builder = new GraphBuilder("test");
  builder.output("y", builder.op("Tile", [builder.input("x", "float32", [1000]), builder.ints([1000])]));
  const json = graphToJson(builder.build());
  const read =
    (limits: GraphLimits): (() => unknown) =>
    () =>
      graphFromJson(json, limits);
  expect(read({ maxElements: 1e6 })).not.toThrow();
  expect(read({ maxElements: 1e6 - 1 })).toThrow(/value "Tile" of shape \[1000000\] has more than 999999 elements/);
});
