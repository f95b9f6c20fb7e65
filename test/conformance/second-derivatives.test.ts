import { describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import { differentiate, GraphBuilder, type Graph, type Tensor, type Tensors, type Value } from "../../core/index.ts";
import { hasGradients } from "./operator-case.ts";
import { feedsOf, gradientInputs, graphOf, nameOf, stateOf, type OperatorSpec } from "./operator-spec.ts";
import { operatorSpecs } from "./specs.ts";

// A gradient is a graph like any other and may be differentiated again. On the reference backend in float64, the second derivative in one random
// direction agrees with central differences of the first: the error of the formula is about h^2 = 1e-10, that of the arithmetic 1e-15 / h.
const h = 1e-5;
const tolerance = 1e-5;
const batch = 2;

const backend = openReference();
const specs = operatorSpecs.filter((spec) => hasGradients(spec) && isSmooth(spec) && elements(spec) <= 150);

describe("second derivatives agree with differences of the first", () => {
  test.each(specs.map((spec) => [nameOf(spec), spec] as const))("%s", async (_, spec) => {
    const twice = differentiatedTwice(spec);
    const state = stateOf(twice, spec);
    const executable = await backend.compile(twice, { state });
    const feeds = feedsOf(twice, spec, batch);
    const results = await executable.run(feeds);
    for (const i of gradientInputs(spec)) {
      const name = `x${i}`;
      const whole = (feeds[name] ?? state[name]) as Tensor; // an input is one or the other
      const direction = Float64Array.from({ length: whole.data.length }, (__, k) => Math.sin(1 + 2.7 * k));
      const along = Array.from(results[`ddx${i}`]?.data ?? [], Number).reduce((sum, value, k) => sum + value * (direction[k] ?? 0), 0);
      const [up, down] = [await at(1), await at(-1)];
      async function at(sign: number): Promise<number> {
        const data = Float64Array.from(whole.data as Float64Array, (value, k) => value + sign * h * (direction[k] ?? 0)); // float64 was asked for
        const moved: Tensors = { [name]: { ...whole, data } };
        if (state[name]) await executable.writeState(moved);
        const value = Number((await executable.run(state[name] ? feeds : { ...feeds, ...moved }))["slope"]?.data[0]);
        if (state[name]) await executable.writeState({ [name]: whole });
        return value;
      }
      const numeric = (up - down) / (2 * h);
      expect(Math.abs(along - numeric) / Math.max(1, Math.abs(numeric)), `input ${i}: ${along}, not ${numeric}`).toBeLessThan(tolerance);
    }
    await executable.dispose();
  });
});

/** The spec's gradient graph with `slope`, the sum of the squares of all first gradients, and `ddx<i>`, its gradients. */
function differentiatedTwice(spec: OperatorSpec): Graph {
  const first = graphOf(spec, { float: "float64", gradients: true });
  const builder = new GraphBuilder(first.name);
  const values = new Map<string, Value>();
  for (const { name, dtype, shape } of first.inputs) values.set(name, builder.input(name, dtype, shape));
  for (const { name, dtype, shape, role } of first.state) values.set(name, builder.state(name, dtype, shape, { role }));
  for (const [name, constant] of Object.entries(first.constants)) values.set(name, builder.constant(constant, name));
  for (const node of first.nodes) for (const value of builder.addNode(node)) values.set(value.name, value);
  const by = gradientInputs(spec);
  const slopes = by.map((i) => {
    const gradient = values.get(first.outputs[`dx${i}`] ?? "") as Value; // graphOf names one for each
    return builder.op("ReduceSum", [builder.op("Mul", [gradient, gradient])], { keepdims: 0 });
  });
  const slope = slopes.reduce((a, b) => builder.op("Add", [a, b]));
  builder.output("slope", slope);
  const targets = by.map((i) => values.get(`x${i}`) as Value); // inputs that are there
  differentiate(builder, slope, targets).forEach((value, k) => builder.output(`ddx${by[k]}`, value));
  return builder.build();
}

/** Kinks, ties and zeros have no second derivative, and large numbers none that differences could find. */
function isSmooth(spec: OperatorSpec): boolean {
  const about = ["exactly 0", "large scores", "large numbers", "zeros"].some((start) => spec.about.startsWith(start));
  return !about && !spec.inputs.some((input) => input?.draw === "ties");
}

function elements(spec: OperatorSpec): number {
  return spec.inputs.reduce(
    (sum, input) => sum + (input?.shape ?? []).reduce<number>((count, size) => count * (size === "batch" ? batch : size), 1),
    0,
  );
}
