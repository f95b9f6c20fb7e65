import { afterAll, expect, test } from "vitest";
import {
  differentiate,
  GraphBuilder,
  Random,
  simplify,
  tensor,
  toNumbers,
  type Backend,
  type DType,
  type Tensor,
  type Value,
} from "../../../core/index.ts";
import { openReference } from "../../reference/index.ts";
import { openOnnxRuntime } from "../backend.ts";
import { planGraph } from "../plan.ts";
import { hasOwnKernels } from "../testing/own-kernels.ts";

const reference = openReference();
const backend = await openOnnxRuntime({ thread: "inline", threads: 1 });
const pair = await openOnnxRuntime({ thread: "inline", threads: 2, leastSharedBytes: 1 });
afterAll(() => Promise.all([backend.dispose(), pair.dispose()]));

interface Case {
  readonly what: string;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Whole numbers from -`rows` to `rows` - 1 in place of floats. */
  readonly indices?: { readonly name: string; readonly dtype: DType; readonly rows: number };
  /** A gradient that is nought but for the rounding of large sums. */
  readonly nought?: string;
  /** Kernels of our own in the model of its gradients. */
  readonly kernels: number;
  readonly build: (builder: GraphBuilder, inputs: Readonly<Record<string, Value>>) => Value;
}

/** y = gelu(x w + b) */
function dense(rows: readonly number[], size: number, kernels = 1): Case {
  return {
    what: `gelu of ${rows.join("x")} rows of ${size} with a bias`,
    inputs: { x: [...rows, 5], w: [5, size], b: [size] },
    kernels,
    build: (builder, { x, w, b }) => builder.op("Gelu", [builder.op("Add", [builder.op("MatMul", [x!, w!]), b!])]),
  };
}

/** y = h + normalized(h) w with h = x + b */
function branch(rows: readonly number[], size: number, kernels = 1): Case {
  return {
    what: `a normalised branch over ${rows.join("x")} rows of ${size}`,
    inputs: { x: [...rows, size], b: [size], scale: [size], bias: [size], w: [size, size] },
    kernels,
    build(builder, { x, b, scale, bias, w }) {
      const h = builder.op("Add", [x!, b!]);
      const [normal] = builder.ops("LayerNormalization", [h, scale!, bias!], 3, { axis: -1, epsilon: 1e-5 });
      return builder.op("Add", [h, builder.op("MatMul", [normal!, w!])]);
    },
  };
}

/** y = normalized(round + (x w + b)) v, with the sum as a second branch: forward and backward one kernel each, and the sums of b's gradient. */
function residual(rows: readonly number[], size: number, kernels = 2): Case {
  return {
    what: `a normalised residual of ${rows.join("x")} rows of ${size}`,
    inputs: { x: [...rows, 3], w: [3, size], b: [size], round: [...rows, size], scale: [size], bias: [size], v: [size, size] },
    kernels,
    build(builder, { x, w, b, round, scale, bias, v }) {
      const sum = builder.op("Add", [round!, builder.op("Add", [builder.op("MatMul", [x!, w!]), b!])]);
      const [normal] = builder.ops("LayerNormalization", [sum, scale!, bias!], 3, { axis: -1, epsilon: 1e-3 });
      return builder.op("Add", [sum, builder.op("MatMul", [normal!, v!])]);
    },
  };
}

/** Attention over [batch, length, heads size] with its three projections, as core writes it after simplifying. */
function attention([batch = 1, length = 1, heads = 1, size = 1]: readonly number[], kernels = 7): Case {
  const width = heads * size;
  return {
    what: `attention of ${heads} heads of ${size} over ${batch}x${length} places`,
    nought: "dbk", // softmax does not see what all keys have in common
    inputs: { x: [batch, length, width], wq: [width, width], wk: [width, width], wv: [width, width], bq: [width], bk: [width], bv: [width] },
    kernels,
    build(builder, { x, wq, wk, wv, bq, bk, bv }) {
      const projected = (w: Value, b: Value): Value => {
        const rows = builder.op("Add", [builder.op("MatMul", [x!, w]), b]);
        return builder.op("Reshape", [rows, builder.ints([batch, length, heads, size])]);
      };
      const q = builder.op("Mul", [builder.op("Transpose", [projected(wq!, bq!)], { perm: [0, 2, 1, 3] }), builder.scalar(0.3, "float32")]);
      const k = builder.op("Transpose", [projected(wk!, bk!)], { perm: [0, 2, 3, 1] });
      const v = builder.op("Transpose", [projected(wv!, bv!)], { perm: [0, 2, 1, 3] });
      const weights = builder.op("Softmax", [builder.op("MatMul", [q, k])], { axis: -1 });
      const seen = builder.op("Transpose", [builder.op("MatMul", [weights, v])], { perm: [0, 2, 1, 3] });
      return builder.op("Reshape", [seen, builder.ints([batch, length, width])]);
    },
  };
}

function unary(operator: string, shape: readonly number[], kernels = 1): Case {
  return { what: `${operator} of ${shape.join("x")}`, inputs: { x: shape }, kernels, build: (builder, { x }) => builder.op(operator, [x!]) };
}

function gathered(data: readonly number[], indices: readonly number[], dtype: DType, kernels = 1): Case {
  return {
    what: `rows of ${data.join("x")} gathered at ${indices.join("x")} ${dtype} places`,
    inputs: { x: data, places: indices },
    indices: { name: "places", dtype, rows: data[0] ?? 1 },
    kernels,
    build: (builder, { x, places }) => builder.op("Gather", [x!, places!], { axis: 0 }),
  };
}

const cases: readonly Case[] = [
  unary("Gelu", [3, 8]),
  unary("Gelu", [2, 150, 256]), // more than a part, which ends with fewer rows
  unary("Gelu", [3, 7], 0),
  dense([3], 4),
  dense([2, 3], 20),
  dense([300], 256),
  dense([2], 6, 0),
  branch([2, 3], 4),
  branch([2, 5], 20),
  branch([270], 256),
  branch([3], 6, 0),
  residual([2, 3], 4),
  residual([2, 5], 20),
  residual([270], 256),
  residual([3], 6, 0),
  attention([2, 4, 3, 8]),
  attention([3, 12, 1, 4]),
  attention([2, 260, 2, 128]), // more than a part's places
  attention([2, 5, 3, 6], 0),
  unary("Softmax", [2, 3, 20]),
  unary("Softmax", [5, 4]),
  unary("Softmax", [9, 8200]),
  unary("Softmax", [5, 3], 0),
  gathered([7, 4], [3, 6], "int32"),
  gathered([5, 2, 6], [40], "int64"),
  gathered([300, 256], [4, 90], "int32"),
  gathered([7, 3], [5], "int64", 0),
];

for (const item of cases) {
  test.skipIf(!hasOwnKernels)(
    `gradients of ${item.what} take ${item.kernels} kernels and are the reference's, to 1e-5 of the largest value`,
    async () => {
      const { given, expected, kernels } = await gradientsOf(item);
      expect(kernels).toBe(item.kernels);
      expect(distanceOf(item, { given, expected })).toBeLessThan(1e-5);
    },
  );
}

/** Kernels of so many bytes that other threads help. */
const large: readonly Case[] = [
  dense([100], 1024),
  branch([300], 256),
  residual([300], 256),
  attention([2, 300, 2, 128]),
  unary("Softmax", [450, 200]),
  gathered([900, 256], [11, 90], "int64"),
];

for (const item of large) {
  test.skipIf(!hasOwnKernels)(`gradients of ${item.what} in two threads are the reference's`, async () => {
    expect(distanceOf(item, await gradientsOf(item, { tested: pair }))).toBeLessThan(1e-5);
  });
}

/** The largest distance from what is expected, in proportion to the largest value of each gradient; infinite for other numbers of elements. */
function distanceOf(item: Case, { given, expected }: Pick<Gradients, "given" | "expected">): number {
  const distances = Object.keys(expected).map((name) => {
    const [a, b] = [toNumbers(given[name] as Tensor), toNumbers(expected[name] as Tensor)];
    const largest = Math.max(...b.map(Math.abs), name === item.nought ? 100 : 1e-3);
    return a.length === b.length ? Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? Number.NaN)))) / largest : Infinity;
  });
  return Math.max(...distances);
}

test.skipIf(!hasOwnKernels)("the gradient of gelu is the normal distribution's to 2e-7, far from zero too", async () => {
  const builder = new GraphBuilder("gelu");
  const x = builder.input("x", "float32", [1, 4096]);
  const loss = builder.op("ReduceSum", [builder.op("Gelu", [x])], { keepdims: 0 });
  builder.output("dx", differentiate(builder, loss, [x])[0] as Value); // one was asked for
  const values = Float32Array.from({ length: 4096 }, (_, i) => (i - 2048) / 128); // -16 to 16
  const executable = await backend.compile(builder.build());
  const { dx } = await executable.run({ x: tensor("float32", [1, 4096], values) });
  await executable.dispose();
  const step = 1 / 1024;
  let share = 0; // of the normal distribution below x, by Simpson's rule from -16
  const density = (at: number): number => Math.exp((-at * at) / 2) / Math.sqrt(2 * Math.PI);
  toNumbers(dx as Tensor).forEach((value, i) => {
    const at = values[i] ?? 0;
    if (i > 0)
      for (let from = at - 1 / 128; from < at - step / 2; from += step)
        share += ((density(from) + 4 * density(from + step / 2) + density(from + step)) * step) / 6;
    expect(Math.abs(value - share - at * density(at))).toBeLessThan(2e-7);
  });
});

test.skipIf(!hasOwnKernels)("a value that is not a number stays none", async () => {
  const { given } = await gradientsOf(unary("Gelu", [1, 4]), { only: Number.NaN });
  expect(toNumbers(given["dx"] as Tensor)).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
});

interface Gradients {
  readonly given: Readonly<Record<string, Tensor>>;
  readonly expected: Readonly<Record<string, Tensor>>;
  readonly kernels: number | undefined;
}

/** Gradients of sum(y direction) by every float input. @param options.only what all floats are; drawn by default */
async function gradientsOf(
  { inputs, indices, build }: Case,
  { only, tested: on = backend }: { readonly only?: number; readonly tested?: Backend } = {},
): Promise<Gradients> {
  const builder = new GraphBuilder("case");
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, shape]) => [name, builder.input(name, indices?.name === name ? indices.dtype : "float32", shape)]),
  );
  const y = build(builder, values);
  const direction = builder.input("direction", "float32", y.shape);
  const loss = builder.op("ReduceSum", [builder.op("Mul", [y, direction])], { keepdims: 0 });
  const by = Object.values(values).filter((value) => value.dtype === "float32");
  differentiate(builder, loss, by).forEach((gradient, i) => builder.output(`d${by[i]!.name}`, gradient));
  const graph = simplify(builder.build()); // as training graphs are
  const random = new Random(5);
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, dtype, shape }) => {
      const length = shape.reduce<number>((a, b) => a * Number(b), 1);
      const deviation = shape.length === 2 ? 1 / Math.sqrt(Number(shape[0])) : 1; // products keep it
      const draw = (): number => (dtype === "float32" ? (only ?? random.normal() * deviation) : random.integer(2 * indices!.rows) - indices!.rows);
      return [name, tensor(dtype, shape.map(Number), Array.from({ length }, draw))] as const;
    }),
  );
  const [tested, trusted] = [await on.compile(graph), await reference.compile(graph)];
  const result = {
    given: await tested.run(feeds),
    expected: await trusted.run(feeds),
    kernels: planGraph(graph, { kernels: true }).model?.nodes.filter(({ operator }) => operator === "Kernel").length,
  };
  await tested.dispose();
  await trusted.dispose();
  return result;
}
