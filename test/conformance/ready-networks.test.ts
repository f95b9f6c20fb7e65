import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import {
  autoencoder,
  causalLanguageModel,
  copyInto,
  differentiate,
  dlrm,
  elementCount,
  ftTransformer,
  GraphBuilder,
  mobileNetV2,
  nBeats,
  recurrentForecaster,
  resNet,
  tabTransformer,
  temporalConvolution,
  tensor,
  textEncoder,
  textTransformer,
  toNumbers,
  twoTower,
  uNet,
  variationalAutoencoder,
  visionTransformer,
  wideAndDeep,
  type Backend,
  type Graph,
  type Model,
  type Tensor,
  type Tensors,
} from "../../core/index.ts";
import { compareTensor } from "./compare.ts";

// Every ready network against the same one in PyTorch, float64: its answers, how many numbers are learned, and the gradient by each parameter
// (test/golden/make-ready-networks.py). Ours computes in float32.
const tolerance = 2e-5;
const gradientTolerance = 2e-4;

interface Answer {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface ReadyCase {
  readonly name: string;
  readonly network: keyof typeof networks;
  readonly options: unknown;
  /** A shape of drawn numbers, or rows of whole ones. */
  readonly inputs: Readonly<Record<string, { readonly shape: readonly number[] } | readonly (readonly number[])[]>>;
  readonly outputs: Readonly<Record<string, Answer>>;
  readonly parameters: number;
  /** By parameter: the gradient's length, and its product with drawn numbers. */
  readonly gradients: Readonly<Record<string, readonly [length: number, product: number]>>;
}

const networks = {
  autoencoder,
  causalLanguageModel,
  dlrm,
  ftTransformer,
  mobileNetV2,
  nBeats,
  recurrentForecaster,
  resNet,
  tabTransformer,
  temporalConvolution,
  textEncoder,
  textTransformer,
  twoTower,
  uNet,
  variationalAutoencoder,
  visionTransformer,
  wideAndDeep,
} as const;

const text = await readFile(new URL("../golden/ready-networks.json", import.meta.url), "utf8");
const { cases } = JSON.parse(text) as { readonly cases: readonly ReadyCase[] };
let backend: Backend;
beforeAll(async () => {
  backend = await openOnnxRuntime({ thread: "inline" }); // the reference backend would take minutes for a ResNet's gradients
});
afterAll(() => backend.dispose());

describe("ready networks agree with PyTorch in float64", () => {
  test.for(cases.map((golden) => [golden.name, golden] as const))("%s", { timeout: 120_000 }, async ([name, golden]) => {
    const build = networks[golden.network] as (options: unknown) => Model; // the script writes what each takes
    const { graph } = build(golden.options);
    const state = Object.fromEntries(graph.state.map(({ name: place, shape }) => [place, stateOf(place, shape)]));
    const learned = graph.state.filter(({ role }) => role === "parameter");
    expect(learned.reduce((sum, { shape }) => sum + elementCount(shape), 0)).toBe(golden.parameters);
    expect(learned.map((parameter) => parameter.name).toSorted()).toEqual(Object.keys(golden.gradients).toSorted());

    const feeds = Object.fromEntries(Object.entries(golden.inputs).map(([input, value]) => [input, feedOf(input, value)]));
    const executable = await backend.compile(withGradients(graph, golden), { state });
    const results = await executable.run({ ...feeds, ...lossWeights(golden) });
    await executable.dispose();
    for (const [output, { shape, data }] of Object.entries(golden.outputs)) {
      compareTensor(results[output] as Tensor, tensor("float32", shape, data), { tolerance, what: `${name}, ${output}` });
    }
    const lengths = Object.values(golden.gradients).map(([length]) => length);
    const largest = Math.max(...lengths);
    for (const [parameter, [length, product]] of Object.entries(golden.gradients)) {
      const gradient = results[`gradient/${parameter}`] as Tensor; // withGradients adds it
      const given = toNumbers(gradient);
      const draws = drawn(`gradient/${parameter}`, given.length);
      const bound = gradientTolerance * Math.max(length, 1e-3 * largest);
      expect(
        Math.abs(Math.sqrt(given.reduce((total, value) => total + value * value, 0)) - length),
        `${name}, the gradient's length by ${parameter}`,
      ).toBeLessThanOrEqual(bound);
      const sum = given.reduce((total, value, i) => total + value * draws[i]!, 0); // as many draws
      expect(Math.abs(sum - product), `${name}, the gradient by ${parameter}`).toBeLessThanOrEqual(bound);
    }
  });
});

/** The graph with the gradients of the sum of all outputs, each times its input `loss/<name>`. */
function withGradients(graph: Graph, { outputs, gradients }: ReadyCase): Graph {
  const builder = new GraphBuilder(graph.name);
  const values = copyInto(builder, graph);
  const terms = Object.keys(outputs).map((output) => {
    const value = values[output];
    if (value === undefined) throw new Error(`the network has no output "${output}"`);
    const weights = builder.input(`loss/${output}`, "float32", value.shape);
    builder.output(output, value);
    return builder.op("ReduceSum", [builder.op("Mul", [value, weights])], { keepdims: 0 });
  });
  const loss = terms.reduce((a, b) => builder.op("Add", [a, b]));
  const names = Object.keys(gradients);
  const found = differentiate(
    builder,
    loss,
    names.map((parameter) => builder.value(parameter)),
  );
  found.forEach((gradient, i) => builder.output(`gradient/${names[i]}`, gradient));
  return builder.build();
}

function lossWeights({ outputs }: ReadyCase): Tensors {
  return Object.fromEntries(
    Object.entries(outputs).map(([output, { shape }]) => [`loss/${output}`, floats(shape, drawn(`loss/${output}`, elementCount(shape)))]),
  );
}

function feedOf(input: string, value: ReadyCase["inputs"][string]): Tensor {
  if (Array.isArray(value)) return tensor("int32", [value.length, value[0].length], value.flat());
  const { shape } = value as { readonly shape: readonly number[] }; // the other of the two
  return floats(shape, drawn(`input/${input}`, elementCount(shape)));
}

/** As the script's `state`. */
function stateOf(name: string, shape: readonly number[]): Tensor {
  const values = drawn(name, elementCount(shape));
  const fanIn = shape.length === 2 ? (shape[0] ?? 1) : shape.slice(1).reduce((a, b) => a * b, 1);
  const [offset, scale] = /(gamma|variance)$/.test(name) ? [1, 0.5] : shape.length === 1 ? [0, 0.3] : [0, Math.sqrt(3 / fanIn)];
  return floats(
    shape,
    values.map((value) => offset + scale * value),
  );
}

function floats(shape: readonly number[], values: Float64Array): Tensor {
  return tensor("float32", shape, Float32Array.from(values));
}

/** As the script's: numbers from -1 to 1 that depend on the name and the place alone. */
function drawn(name: string, count: number): Float64Array {
  let seed = 2166136261;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 16777619) >>> 0;
  return Float64Array.from({ length: count }, (_, i) => {
    let x = (Math.imul(i, 2654435761) + seed) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0;
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
}
