import { describe, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import type { Executable, Tensor, Tensors } from "../../core/index.ts";
import { feedsOf, gradientInputs, graphOf, nameOf, stateOf, type OperatorSpec } from "./operator-spec.ts";
import { hasGradients } from "./operator-case.ts";
import { operatorSpecs } from "./specs.ts";

/** Ties and exact zeros have no derivative; their rule is checked against other backends and against PyTorch's values. */
const withoutDerivative = (spec: OperatorSpec): boolean =>
  spec.inputs.some((input) => input?.draw === "ties") ||
  spec.about === "exactly 0" ||
  spec.about.startsWith("zeros") ||
  spec.about.startsWith("large numbers") ||
  spec.about === "large scores";

/** Central differences: the error of the formula is about h^2 = 1e-10, that of the arithmetic 1e-16 / h = 1e-11. */
const h = 1e-5;

describe("the reference backend's gradients in float64 agree with central finite differences to 1e-6", () => {
  const reference = openReference();
  const specs = operatorSpecs.filter((spec) => hasGradients(spec) && !withoutDerivative(spec) && smallEnough(spec));

  test.each(specs.map((spec) => [nameOf(spec), spec] as const))("%s", async (_, spec) => {
    const graph = graphOf(spec, { float: "float64", gradients: true });
    const state = stateOf(graph, spec);
    const executable = await reference.compile(graph, { state });
    const feeds = feedsOf(graph, spec, 2);
    const results = await executable.run(feeds);
    for (const i of gradientInputs(spec)) {
      const gradient = results[`dx${i}`] as Tensor;
      const numeric = await differences(executable, { name: `x${i}`, feeds, state });
      const scale = Math.max(1, ...numeric.map(Math.abs));
      const worst = Math.max(...numeric.map((value, k) => Math.abs(value - Number(gradient.data[k]))));
      expect(numeric.length).toBe(gradient.data.length);
      expect(worst / scale, `input ${i}`).toBeLessThan(1e-6);
    }
    await executable.dispose();
  });
});

/** d loss / d element for up to 24 elements spread over the input would miss some: all are taken. */
async function differences(
  executable: Executable,
  { name, feeds, state }: { name: string; feeds: Tensors; state: Tensors },
): Promise<readonly number[]> {
  const whole = (feeds[name] ?? state[name]) as Tensor; // an input is one or the other
  const values: number[] = [];
  for (let k = 0; k < whole.data.length; k += 1) {
    const [up, down] = [await lossAt(h), await lossAt(-h)];
    values.push((up - down) / (2 * h));
    async function lossAt(shift: number): Promise<number> {
      const data = Float64Array.from(whole.data as Float64Array); // float64 was asked for
      data[k] = (data[k] ?? 0) + shift;
      const moved = { [name]: { ...whole, data } };
      if (state[name]) await executable.writeState(moved);
      const results = await executable.run(state[name] ? feeds : { ...feeds, ...moved });
      return lossOf(results, feeds);
    }
  }
  if (state[name]) await executable.writeState({ [name]: whole });
  return values;
}

/** The loss that graphOf differentiates: the outputs times their fed weights, summed. */
function lossOf(results: Tensors, feeds: Tensors): number {
  return Object.entries(feeds).reduce((sum, [name, weights]) => {
    if (!name.startsWith("weights")) return sum;
    const output = results[`y${name.slice("weights".length)}`] as Tensor;
    return sum + Array.from(weights.data as Float64Array).reduce((part, weight, k) => part + weight * Number(output.data[k]), 0);
  }, 0);
}

/** Differences take two runs an element. */
function smallEnough(spec: OperatorSpec): boolean {
  return spec.inputs.every((input) => (input?.shape ?? []).reduce<number>((product, size) => product * (size === "batch" ? 2 : size), 1) <= 1000);
}
