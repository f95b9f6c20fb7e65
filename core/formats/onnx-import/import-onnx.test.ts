import { expect, test } from "vitest";
import { openReference } from "../../../backends/reference/index.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { mlp } from "../../models/index.ts";
import { scalar, tensor, toNumbers, type Tensor, type Tensors } from "../../tensor.ts";
import { toOnnx } from "../onnx.ts";
import { encodeOnnx, type OnnxAttribute, type OnnxGraph, type OnnxModel, type OnnxNode, type OnnxValue } from "../onnx-model.ts";
import { importOnnx, type ImportOnnxOptions } from "./import-onnx.ts";

function value(name: string, shape: OnnxValue["shape"], dtype: OnnxValue["dtype"] = "float32"): OnnxValue {
  return { name, dtype, shape };
}

function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, OnnxAttribute>> = {},
): OnnxNode {
  return { name: outputs[0] ?? operator, operator, domain: "", inputs, outputs, attributes };
}

function bytesOf(parts: Partial<OnnxModel>): Uint8Array {
  return encodeOnnx({
    name: "test",
    producer: "a test",
    irVersion: 8,
    opsets: { "": 17 },
    inputs: [value("x", ["N", 3])],
    outputs: [value("y", undefined, undefined)],
    initializers: {},
    nodes: [],
    metadata: {},
    ...parts,
  });
}

function refusal(parts: Partial<OnnxModel>, options: ImportOnnxOptions = {}): { readonly code: string; readonly message: string } {
  try {
    importOnnx(bytesOf(parts), options);
  } catch (error) {
    return error as { code: string; message: string }; // every error has both
  }
  throw new Error("nothing was refused");
}

async function answer(bytes: Uint8Array, feeds: Tensors, options: ImportOnnxOptions = {}): Promise<readonly number[]> {
  const { graph, state } = importOnnx(bytes, options);
  const executable = await openReference().compile(graph, { state });
  return toNumbers((await executable.run(feeds))["y"] as Tensor);
}

test("a model that was exported comes back with its state, its roles and its constants", () => {
  const model = mlp({ width: 4, hidden: [5], head: { task: "classification", classes: 3 }, seed: 2 });
  const { graph, state } = importOnnx(toOnnx(model.graph, { state: model.state }));
  expect(state).toEqual(model.state);
  expect(graph.state).toEqual(model.graph.state);
  expect(graph.inputs).toEqual(model.graph.inputs);
});

test("an output that is a weight is that weight after a round trip, not a copy", () => {
  const b = new GraphBuilder("weights");
  const w = b.state("w", "float32", [3]);
  b.output("y", b.op("Add", [b.input("x", "float32", ["batch", 3]), w]));
  b.output("weights", w);
  const { graph } = importOnnx(toOnnx(b.build(), { state: { w: tensor("float32", [3], [1, 2, 3]) } }));
  expect(graph.nodes.find(({ outputs }) => outputs[0] === graph.outputs["weights"])).toMatchObject({ operator: "Identity", inputs: ["w"] });
});

test("all operators that are not there are named at once, those of other domains and of branches that cannot be chosen too", () => {
  const branch = (operator: string): OnnxAttribute => ({
    kind: "graph",
    value: { name: operator, inputs: [], outputs: [value("out", undefined)], initializers: {}, nodes: [node(operator, ["x"], ["out"])] },
  });
  const nodes = [
    node("Unheard", ["x"], ["a"]),
    { ...node("FusedConv", ["a"], ["b"]), domain: "com.microsoft" },
    node("Loop", ["b"], ["c"]),
    node("Cast", ["x"], ["condition"], { to: { kind: "int", value: 9 } }),
    node("If", ["condition"], ["d"], { then_branch: branch("Relu"), else_branch: branch("Unknown") }),
    node("Add", ["c", "d"], ["y"]),
  ];
  const { code, message } = refusal({ nodes });
  expect(code).toBe("BACKEND_OPERATOR_MISSING");
  for (const name of ['Unheard (node "a")', "com.microsoft.FusedConv", "Loop", "If whose condition is computed", "Unknown"])
    expect(message).toContain(name);
  expect(message).not.toContain("Relu");
});

test("what nothing reads is not asked for", async () => {
  const nodes = [node("Unheard", ["x"], ["a"]), node("Neg", ["x"], ["y"])];
  expect(await answer(bytesOf({ nodes }), { x: tensor("float32", [1, 3], [1, 2, 3]) })).toEqual([-1, -2, -3]);
});

test("dimensions: the first symbol is the batch, others need a size, names that are not there are refused", () => {
  const parts = { inputs: [value("x", ["N", "height"]), value("z", ["N", ""])], nodes: [node("Add", ["x", "z"], ["y"])] };
  expect(refusal(parts)).toMatchObject({
    code: "ARGUMENT_INVALID",
    message: expect.stringMatching(/here "N".*"height" \(axis 1 of "x"\), "z.1" \(axis 1 of "z"\)/),
  });
  const { graph } = importOnnx(bytesOf(parts), { dimensions: { height: 4, "z.1": 4 } });
  expect(graph.inputs.map(({ shape }) => shape)).toEqual([
    ["batch", 4],
    ["batch", 4],
  ]);
  const other = importOnnx(bytesOf(parts), { dimensions: { N: 2, height: "batch", "z.1": "batch" } });
  expect(other.graph.inputs.map(({ shape }) => shape)).toEqual([
    [2, "batch"],
    [2, "batch"],
  ]);
  expect(refusal(parts, { dimensions: { hieght: 4 } }).message).toContain('did you mean "height"');
  expect(refusal(parts, { dimensions: { height: 0 } }).message).toContain("a whole number from 1");
});

test("dimensions: a symbol that is called batch, or is the only one, may stand on any axis", () => {
  const nodes = [node("Neg", ["x"], ["y"])];
  expect(importOnnx(bytesOf({ inputs: [value("x", [2, "N"])], nodes })).graph.inputs[0]?.shape).toEqual([2, "batch"]);
  const parts = { inputs: [value("x", ["time", "batch"])], nodes };
  expect(importOnnx(bytesOf(parts), { dimensions: { time: 5 } }).graph.inputs[0]?.shape).toEqual([5, "batch"]);
  expect(refusal(parts).message).toContain('here "batch", but so are "time"');
});

test("an input that gets its value for good decides which branch is taken, and must fit", async () => {
  const branch = (operator: string): OnnxAttribute => ({
    kind: "graph",
    value: { name: operator, inputs: [], outputs: [value("out", undefined)], initializers: {}, nodes: [node(operator, ["x"], ["out"])] },
  });
  const parts: Partial<OnnxModel> = {
    inputs: [value("x", ["N", 1]), value("rate", [], "int64")],
    initializers: { wide: scalar(16_000, "int64") },
    nodes: [node("Equal", ["rate", "wide"], ["is_wide"]), node("If", ["is_wide"], ["y"], { then_branch: branch("Neg"), else_branch: branch("Exp") })],
  };
  const x = tensor("float32", [1, 1], [2]);
  expect(await answer(bytesOf(parts), { x }, { constants: { rate: scalar(16_000, "int64") } })).toEqual([-2]);
  expect(await answer(bytesOf(parts), { x }, { constants: { rate: scalar(8000, "int64") } })).toEqual([Math.fround(Math.exp(2))]);
  expect(refusal(parts, { constants: { rate: scalar(1) } }).message).toContain('input "rate" is int64 [], but the constant for it is float32 []');
  expect(refusal(parts, { constants: { rat: scalar(1) } }).message).toContain('did you mean "rate"');
});

test("a model made for one batch size says which dimension to fix", async () => {
  const parts = { initializers: { shape: tensor("int64", [2], [2, 3]) }, nodes: [node("Reshape", ["x", "shape"], ["y"])] };
  expect(refusal(parts)).toMatchObject({ code: "GRAPH_SHAPE", message: expect.stringContaining('dimensions: { "N": 1 }') });
  expect(await answer(bytesOf(parts), { x: tensor("float32", [2, 3], [1, 2, 3, 4, 5, 6]) }, { dimensions: { N: 2 } })).toEqual([1, 2, 3, 4, 5, 6]);
});

test("Squeeze without axes takes those of the file's sizes away, not the batch's too when it is of one row", async () => {
  const { graph } = importOnnx(bytesOf({ inputs: [value("x", ["N", 1, 3])], nodes: [node("Squeeze", ["x"], ["y"])] }));
  expect(graph.values[graph.outputs["y"] ?? ""]?.shape).toEqual(["batch", 3]);
  const executable = await openReference().compile(graph);
  expect((await executable.run({ x: tensor("float32", [1, 1, 3], [1, 2, 3]) }))["y"]?.shape).toEqual([1, 3]);
});

test("axes that are an attribute, before opset 13, are kept where a form has more than one adaptation", async () => {
  const axes = { axes: { kind: "ints", value: [1] } } as const;
  const squeezed = bytesOf({ inputs: [value("x", ["N", 1, 1])], nodes: [node("Squeeze", ["x"], ["y"], axes)], opsets: { "": 11 } });
  const { graph } = importOnnx(squeezed);
  expect(graph.values[graph.outputs["y"] ?? ""]?.shape).toEqual(["batch", 1]);
  const largest = bytesOf({ nodes: [node("ReduceMax", ["x"], ["y"], axes)], opsets: { "": 11 } });
  expect(await answer(largest, { x: tensor("float32", [2, 3], [1, 3, 2, 6, 4, 5]) })).toEqual([3, 6]);
});

test("the largest of bools is whether any is true, the smallest whether all are", async () => {
  const parts = { inputs: [value("x", ["N", 2], "bool")], initializers: { axes: tensor("int64", [1], [1]) }, opsets: { "": 20 } };
  const x = tensor("bool", [3, 2], [0, 0, 0, 1, 1, 1]);
  expect(await answer(bytesOf({ ...parts, nodes: [node("ReduceMax", ["x", "axes"], ["y"])] }), { x })).toEqual([0, 1, 1]);
  expect(await answer(bytesOf({ ...parts, nodes: [node("ReduceMin", ["x", "axes"], ["y"])] }), { x })).toEqual([0, 0, 1]);
});

test("MaxPool's Indices are refused by name where they are used, and passed over where they are not", () => {
  const parts = { inputs: [value("x", ["N", 1, 4])] };
  const pool = node("MaxPool", ["x"], ["y", "where"], { kernel_shape: { kind: "ints", value: [2] } });
  expect(importOnnx(bytesOf({ ...parts, nodes: [pool] })).graph.nodes.map(({ operator }) => operator)).toEqual(["MaxPool"]);
  const used = [pool, node("Cast", ["where"], ["z"], { to: { kind: "int", value: 1 } })];
  expect(refusal({ ...parts, nodes: used, outputs: [value("y", undefined, undefined), value("z", undefined, undefined)] })).toMatchObject({
    code: "FORMAT_UNSUPPORTED",
    message: expect.stringContaining('node "y" (MaxPool): its second output, Indices, is used'),
  });
});

test("before opset 18 Split gave even parts without saying how many, and its outputs tell", () => {
  const parts = { inputs: [value("x", ["N", 6])], opsets: { "": 13 }, outputs: [value("y", undefined, undefined), value("z", undefined, undefined)] };
  const { graph } = importOnnx(bytesOf({ ...parts, nodes: [node("Split", ["x"], ["y", "z"], { axis: { kind: "int", value: 1 } })] }));
  expect(graph.nodes[0]?.attributes).toEqual({ axis: 1, num_outputs: 2 });
});

test("operands of opset 6 and before are laid along the axis that the node names", async () => {
  const nodes = [node("Add", ["x", "b"], ["y"], { broadcast: { kind: "int", value: 1 }, axis: { kind: "int", value: 0 } })];
  const parts = { inputs: [value("x", [2, 3])], initializers: { b: tensor("float32", [2], [10, 20]) }, nodes, opsets: { "": 7 } };
  expect(await answer(bytesOf(parts), { x: tensor("float32", [2, 3], [1, 2, 3, 4, 5, 6]) })).toEqual([11, 12, 13, 24, 25, 26]);
});

test("weights: floats are parameters, running statistics are statistics, the rest stays constant", () => {
  const initializers = {
    scale: tensor("float32", [3], [1, 1, 1]),
    bias: tensor("float32", [3], [0, 0, 0]),
    mean: tensor("float32", [3], [0, 0, 0]),
    variance: tensor("float32", [3], [1, 1, 1]),
    mask: tensor("float32", [3], [0, -Infinity, 0]),
    half: scalar(0.5),
    places: tensor("int64", [1], [1]),
  };
  const nodes = [
    node("BatchNormalization", ["x", "scale", "bias", "mean", "variance"], ["a"]),
    node("Add", ["a", "mask"], ["b"]),
    node("Mul", ["b", "half"], ["c"]),
    node("Gather", ["c", "places"], ["y"], { axis: { kind: "int", value: 1 } }),
  ];
  const { graph } = importOnnx(bytesOf({ initializers, nodes }));
  expect(Object.fromEntries(graph.state.map(({ name, role }) => [name, role]))).toEqual({
    scale: "parameter",
    bias: "parameter",
    mean: "statistic",
    variance: "statistic",
  });
});

test("weights and running statistics that a file stores once, being equal, are trained and moved apart", () => {
  const initializers = { ones: tensor("float32", [3], [1, 1, 1]), zeros: tensor("float32", [3], [0, 0, 0]) };
  const first = node("BatchNormalization", ["x", "ones", "zeros", "zeros", "ones"], ["a"]);
  const nodes = [first, node("Identity", ["ones"], ["twin"]), node("Mul", ["a", "twin"], ["y"])];
  const { graph, state } = importOnnx(bytesOf({ initializers, nodes }));
  expect(graph.state.map(({ name, role }) => [name, role])).toEqual([
    ["ones", "parameter"],
    ["zeros", "parameter"],
    ["zeros/statistic", "statistic"],
    ["ones/statistic", "statistic"],
    ["twin", "parameter"],
  ]);
  expect(state["ones/statistic"]).toEqual(initializers.ones);
  expect(graph.nodes.map(({ inputs }) => inputs)).toEqual([
    ["x", "ones", "zeros", "zeros/statistic", "ones/statistic"],
    ["a", "twin"],
  ]);
});

test("opsets outside 7 to 23 and files without one are refused", () => {
  expect(refusal({ opsets: { "": 6 } })).toMatchObject({ code: "FORMAT_UNSUPPORTED", message: expect.stringContaining("opset 6, but 7 to 23") });
  expect(refusal({ opsets: { "": 24 } }).code).toBe("FORMAT_UNSUPPORTED");
  expect(refusal({ opsets: { "com.microsoft": 1 } }).code).toBe("DATA_MALFORMED");
});

test("a value that is read before it is defined, and an output that nothing computes, are refused", () => {
  expect(refusal({ nodes: [node("Neg", ["later"], ["y"]), node("Neg", ["x"], ["later"])] }).message).toContain(
    '"later" is read before it is defined',
  );
  expect(refusal({ nodes: [] }).message).toContain('"y" is read before it is defined');
});

test("operators and values that are called as members of every object are only names", async () => {
  const { message } = refusal({ nodes: [node("constructor", ["x"], ["a"]), node("toString", ["a"], ["y"])] });
  expect(message).toContain('operators that Espalier does not have: constructor (node "a"), toString (node "y")');
  const nodes = [node("Neg", ["x"], ["__proto__"]), node("Neg", ["__proto__"], ["hasOwnProperty"]), node("Neg", ["hasOwnProperty"], ["y"])];
  expect(await answer(bytesOf({ nodes }), { x: tensor("float32", [1, 3], [1, 2, 3]) })).toEqual([-1, -2, -3]);
});

test("a value that two nodes give is refused", () => {
  const nodes = [node("Neg", ["x"], ["y"]), node("Exp", ["x"], ["y"])];
  expect(refusal({ nodes })).toMatchObject({ code: "DATA_MALFORMED", message: expect.stringContaining('two nodes give "y"') });
});

test("branches nested without end and shapes without measure are refused", () => {
  let branch: OnnxGraph = { name: "leaf", inputs: [], outputs: [], initializers: {}, nodes: [] };
  for (let depth = 0; depth < 100; depth += 1) {
    branch = {
      name: "b",
      inputs: [],
      outputs: [],
      initializers: {},
      nodes: [node("If", ["x"], ["y"], { then_branch: { kind: "graph", value: branch } })],
    };
  }
  expect(refusal({ nodes: branch.nodes })).toMatchObject({ code: "DATA_MALFORMED", message: expect.stringContaining("nested more than 32 deep") });
  const nodes = [node("Conv", ["x", "w"], ["y"], { pads: { kind: "ints", value: [1e9, 1e9, 1e9, 1e9] } })];
  const padded = { inputs: [value("x", ["N", 1, 8, 8])], initializers: { w: tensor("float32", [1, 1, 1, 1], [1]) }, nodes };
  expect(["FORMAT_UNSUPPORTED", "GRAPH_SHAPE"]).toContain(refusal(padded).code);
});

test("a few bytes that say enormous sizes take neither time nor memory", () => {
  const cases: Readonly<Record<string, Partial<OnnxModel>>> = {
    Tile: { initializers: { s: tensor("int64", [2], [1, 1e9]) }, nodes: [node("Tile", ["x", "s"], ["y"])] },
    Split: { nodes: [node("Split", ["x"], ["y"], { num_outputs: { kind: "int", value: 1e12 } })], opsets: { "": 18 } },
    Range: {
      initializers: { a: scalar(0, "int64"), b: scalar(1e10, "int64"), c: scalar(1, "int64") },
      nodes: [node("Range", ["a", "b", "c"], ["y"])],
    },
    Transpose: { nodes: [node("Transpose", ["x"], ["y"], { perm: { kind: "ints", value: Array.from({ length: 1e5 }, (_, i) => i) } })] },
    Einsum: { nodes: [node("Einsum", ["x"], ["y"], { equation: { kind: "string", value: "a".repeat(1e5) } })] },
    EyeLike: {
      initializers: { s: tensor("int64", [2], [1e6, 1e6]) },
      nodes: [node("ConstantOfShape", ["s"], ["z"]), node("EyeLike", ["z"], ["y"])],
    },
    AveragePool: {
      inputs: [value("x", ["N", 1, 4, 4])],
      nodes: [
        node("AveragePool", ["x"], ["y"], {
          kernel_shape: { kind: "ints", value: [2 ** 30, 2 ** 30] },
          pads: { kind: "ints", value: [2 ** 29, 2 ** 29, 2 ** 29, 2 ** 29] },
        }),
      ],
    },
    LSTM: {
      initializers: {
        s: tensor("int64", [3], [1e9, 1, 3]),
        w: tensor("float32", [1, 4, 3], Array<number>(12).fill(0)),
        r: tensor("float32", [1, 4, 1], [0, 0, 0, 0]),
      },
      nodes: [node("ConstantOfShape", ["s"], ["z"]), node("LSTM", ["z", "w", "r"], ["y"], { hidden_size: { kind: "int", value: 1 } })],
    },
  };
  const before = process.memoryUsage().arrayBuffers;
  const slow: string[] = [];
  for (const [name, parts] of Object.entries(cases)) {
    const bytes = bytesOf(parts);
    const start = performance.now();
    try {
      importOnnx(bytes);
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching(/GRAPH_SHAPE|FORMAT_UNSUPPORTED/) });
      expect((error as Error).message.length).toBeLessThan(2000);
    }
    if (performance.now() - start > 2000) slow.push(name);
  }
  expect(slow).toEqual([]);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
});

test("a shape of 2^30 elements is only a shape: nothing is allocated for it", () => {
  const initializers = { shape: tensor("int64", [2], [2 ** 15, 2 ** 15]), first: tensor("int64", [2], [0, 0]), last: tensor("int64", [2], [1, 3]) };
  const nodes = [node("ConstantOfShape", ["shape"], ["zeros"]), node("Slice", ["zeros", "first", "last"], ["a"]), node("Add", ["a", "x"], ["y"])];
  const before = process.memoryUsage().arrayBuffers;
  const { graph } = importOnnx(bytesOf({ initializers, nodes }));
  expect(graph.values[graph.outputs["y"] ?? ""]?.shape).toEqual(["batch", 3]);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 22);
});
