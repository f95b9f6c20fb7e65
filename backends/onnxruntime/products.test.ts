import { afterAll, beforeAll, expect, test } from "vitest";
import {
  differentiate,
  GraphBuilder,
  Random,
  simplify,
  tensor,
  toNumbers,
  type Backend,
  type Graph,
  type Tensor,
  type Value,
} from "../../core/index.ts";
import { openReference } from "../reference/index.ts";
import { openOnnxRuntime } from "./backend.ts";
import { importKoffi } from "./native/koffi.ts";
import { openMachineMemory } from "./machine/machine-memory.ts";
import { planGraph } from "./plan.ts";

const reference = openReference();
let backend: Backend;
let pair: Backend;
let without: Backend;
beforeAll(async () => {
  backend = await openOnnxRuntime({ thread: "inline", threads: 1 });
  pair = await openOnnxRuntime({ thread: "inline", threads: 2 });
  without = await openOnnxRuntime({ thread: "inline", threads: 1, machineCode: false });
});
afterAll(() => Promise.all([backend.dispose(), pair.dispose(), without.dispose()]));

/** Elsewhere products are ONNX Runtime's. */
const isThere = await importKoffi().then(
  (koffi) => openMachineMemory(koffi) !== undefined,
  () => false,
);

type Values = Readonly<Record<string, Value>>;

interface Case {
  readonly what: string;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Products in the model of values and gradients, and nodes that they leave of these kinds. */
  readonly products: number;
  readonly left?: Readonly<Record<string, number>>;
  readonly build: (builder: GraphBuilder, inputs: Values) => Value;
}

/** [batch, length, heads * size] to [batch, heads, length, size] */
function split(builder: GraphBuilder, value: Value, [batch, length, heads, size]: readonly [number, number, number, number]): Value {
  const shape = builder.constant(tensor("int64", [4], [batch, length, heads, size]));
  return builder.op("Transpose", [builder.op("Reshape", [value, shape])], { perm: [0, 2, 1, 3] });
}

const cases: readonly Case[] = [
  {
    what: "a dense layer with a bias and Relu",
    inputs: { x: [50, 40], w: [40, 70], b: [70] },
    products: 3,
    left: { MatMul: 0, Gemm: 0, Relu: 0 },
    build: (builder, { x, w, b }) => builder.op("Relu", [builder.op("Gemm", [x!, w!, b!])]),
  },
  {
    what: "two dense layers with Relu between, whose gradient lets pass what was above 0",
    inputs: { x: [50, 40], w: [40, 70], v: [70, 60] },
    products: 6,
    left: { MatMul: 0, Gemm: 0, Relu: 0, Greater: 0, Cast: 0 },
    build: (builder, { x, w, v }) => builder.op("Gemm", [builder.op("Relu", [builder.op("Gemm", [x!, w!])]), v!]),
  },
  {
    what: "a dense layer over sequences",
    inputs: { x: [3, 20, 40], w: [40, 70], b: [70] },
    products: 3,
    left: { MatMul: 0, Gemm: 0, Transpose: 0 },
    build: (builder, { x, w, b }) => builder.op("Add", [b!, builder.op("MatMul", [x!, w!])]),
  },
  {
    what: "a product of transposed matrices with a factor",
    inputs: { x: [40, 50], w: [70, 40], b: [70] },
    products: 3,
    build: (builder, { x, w, b }) => builder.op("Gemm", [x!, w!, b!], { transA: 1, transB: 1, alpha: 0.5 }),
  },
  {
    what: "three layers that read one value",
    inputs: { x: [60, 40], a: [40, 50], b: [40, 50], c: [40, 50] },
    products: 7, // a's, b's and c's gradients are one
    left: { Add: 1 }, // none of y = xa + xb + xc, nor of dx: the update's
    build: (builder, { x, a, b, c }) => {
      const [first, second, third] = [a!, b!, c!].map((w) => builder.op("MatMul", [x!, w]));
      return builder.op("Add", [builder.op("Add", [first!, second!]), third!]);
    },
  },
  {
    what: "attention, whose heads are read and written where they are",
    inputs: { x: [2, 30, 48], q: [48, 48], k: [48, 48], v: [48, 48], o: [48, 48], bias: [48] },
    products: 18,
    left: { Transpose: 0, MatMul: 0, Add: 3 }, // two of the bias's gradients, and the update's
    build: (builder, { x, q, k, v, o, bias }) => {
      const sizes = [2, 30, 3, 16] as const;
      const [query, key, value] = [q!, k!, v!].map((w) => split(builder, builder.op("Add", [builder.op("MatMul", [x!, w]), bias!]), sizes));
      const scaled = builder.op("Mul", [query!, builder.constant(tensor("float32", [], [0.25]))]);
      const scores = builder.op("MatMul", [scaled, builder.op("Transpose", [key!], { perm: [0, 1, 3, 2] })]);
      const mixed = builder.op("MatMul", [builder.op("Softmax", [scores], { axis: -1 }), value!]);
      const joined = builder.op("Transpose", [mixed], { perm: [0, 2, 1, 3] });
      const rows = builder.op("Reshape", [joined, builder.constant(tensor("int64", [3], [2, 30, 48]))]);
      return builder.op("MatMul", [rows, o!]);
    },
  },
  {
    what: "products that another batch's matrices are broadcast to",
    inputs: { x: [4, 1, 30, 30], w: [3, 30, 40] },
    products: 3,
    build: (builder, { x, w }) => builder.op("MatMul", [x!, w!]),
  },
  {
    what: "a product that a normalisation reads together with its bias",
    inputs: { x: [2, 40, 64], w: [64, 64], b: [64], h: [2, 40, 64], scale: [64], shift: [64] },
    products: 3,
    build: (builder, { x, w, b, h, scale, shift }) => {
      const sum = builder.op("Add", [h!, builder.op("Add", [builder.op("MatMul", [x!, w!]), b!])]);
      return builder.op("LayerNormalization", [sum, scale!, shift!], { axis: -1, epsilon: 1e-5 });
    },
  },
  {
    what: "a product that is read twice",
    inputs: { x: [50, 40], w: [40, 40] },
    products: 3,
    left: { Relu: 1 },
    build: (builder, { x, w }) => {
      const y = builder.op("MatMul", [x!, w!]);
      return builder.op("Mul", [builder.op("Relu", [y]), y]);
    },
  },
  {
    what: "a vector, and few rows",
    inputs: { x: [3, 40], w: [40, 40], v: [40] },
    products: 0, // w's gradient has 40 rows, but only 4800 multiplications
    build: (builder, { x, w, v }) => builder.op("MatMul", [builder.op("MatMul", [x!, w!]), v!]),
  },
];

for (const item of cases) {
  test.skipIf(!isThere)(`${item.what}: values and gradients take ${item.products} products and are the reference's, to 1e-5`, async () => {
    const { graph, feeds } = problem(item);
    const nodes = planGraph(graph, { kernels: true, products: true }).model?.nodes ?? [];
    const count = (operator: string): number => nodes.filter((node) => node.operator === operator).length;
    for (const [operator, wanted] of Object.entries(item.left ?? {})) expect(`${count(operator)} ${operator}`).toBe(`${wanted} ${operator}`);
    expect(count("Product")).toBe(item.products);
    const expected = await run(reference, graph, feeds);
    expect(distance(await run(backend, graph, feeds), expected)).toBeLessThan(1e-5);
    expect(distance(await run(pair, graph, feeds), expected)).toBeLessThan(1e-5);
  });
}

test.skipIf(!isThere)("two threads share a large product, and it is what one computes", async () => {
  const large: Case = {
    what: "large products",
    inputs: { x: [3, 100, 200], w: [200, 300], b: [300] },
    products: 3,
    build: (builder, { x, w, b }) => builder.op("Add", [builder.op("MatMul", [x!, w!]), b!]),
  };
  const { graph, feeds } = problem(large);
  expect(distance(await run(pair, graph, feeds), await run(backend, graph, feeds))).toBeLessThan(1e-6);
});

test("factors that are 0 or no numbers, or overflow one after the other, stay nodes of their own", () => {
  const scales = (first: number, second: number): readonly number[] => {
    const { graph } = problem({
      what: "factors",
      inputs: { x: [50, 40], w: [40, 70] },
      products: 3,
      build: (builder, { x, w }) => {
        const [a, b] = [first, second].map((factor) => builder.constant(tensor("float32", [], [factor])));
        return builder.op("Mul", [builder.op("Mul", [builder.op("MatMul", [x!, w!]), a!]), b!]);
      },
    });
    return planGraph(graph, { kernels: true, products: true }).products.map(({ product }) => product.scale);
  };
  expect(scales(0.5, 0.25)).toContain(0.125);
  for (const [first, second] of [
    [1e25, 1e25],
    [1e-25, 1e-25],
    [0, 0.5],
    [NaN, 0.5],
    [0.5, Infinity],
  ] as const) {
    for (const scale of scales(first, second)) expect([1, 0.5, 1e25, 1e-25].map(Math.fround)).toContain(Math.fround(scale));
  }
});

test("a graph without updates, and one that wants no machine code, leave products to ONNX Runtime", async () => {
  const { graph, feeds } = problem(cases[0]!);
  expect(planGraph({ ...graph, updates: {} }, { kernels: true, products: true }).products).toHaveLength(0);
  expect(planGraph(graph, { kernels: true }).products).toHaveLength(0);
  expect(distance(await run(without, graph, feeds), await run(reference, graph, feeds))).toBeLessThan(1e-5);
});

interface Problem {
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** y and the gradients of sum(y direction) by every input; an update makes it a training step. */
function problem({ inputs, build }: Case): Problem {
  const builder = new GraphBuilder("products");
  const values = Object.fromEntries(Object.entries(inputs).map(([name, shape]) => [name, builder.input(name, "float32", shape)]));
  const y = build(builder, values);
  const direction = builder.input("direction", "float32", y.shape);
  const loss = builder.op("ReduceSum", [builder.op("Mul", [y, direction])], { keepdims: 0 });
  builder.output("y", builder.op("Mul", [y, builder.constant(tensor("float32", [1], [1]))])); // so that y need not be there
  const by = Object.values(values);
  differentiate(builder, loss, by).forEach((gradient, i) => builder.output(`d${by[i]!.name}`, gradient));
  const last = builder.state("loss", "float32", []);
  builder.update("loss", builder.op("Add", [loss, builder.op("Mul", [last, builder.constant(tensor("float32", [], [0]))])]));
  const graph = simplify(builder.build());
  const random = new Random(5);
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, shape }) => {
      const sizes = shape.map(Number);
      const draw = (): number => random.normal() / 4;
      return [name, tensor("float32", sizes, Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, draw))] as const;
    }),
  );
  return { graph, feeds };
}

async function run(on: Backend, graph: Graph, feeds: Problem["feeds"]): Promise<Problem["feeds"]> {
  const executable = await on.compile(graph, { state: { loss: tensor("float32", [], [0]) } });
  try {
    return await executable.run(feeds);
  } finally {
    await executable.dispose();
  }
}

/** The largest distance, in proportion to the largest value of each output. */
function distance(given: Problem["feeds"], expected: Problem["feeds"]): number {
  const distances = Object.entries(expected).map(([name, value]) => {
    const [a, b] = [toNumbers(given[name] as Tensor), toNumbers(value)]; // every output is returned
    const largest = Math.max(...b.map(Math.abs), 1e-3);
    return a.length === b.length ? Math.max(...a.map((one, i) => Math.abs(one - (b[i] ?? NaN)))) / largest : Infinity;
  });
  return Math.max(...distances);
}
