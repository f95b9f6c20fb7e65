import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import { openReference } from "../../backends/reference/index.ts";
import type { Backend } from "../../core/index.ts";
import { compareTensors } from "./compare.ts";
import { hasGradients } from "./operator-case.ts";
import { feedsOf, graphOf, nameOf, stateOf, type OperatorSpec } from "./operator-spec.ts";
import { operatorSpecs } from "./specs.ts";

// Each operator computes in float32 and its result is rounded: half a unit of float16's last place, 5e-4 of a number, may fall the other way, and operators
// that are lowered round in between. Two cases of each operator, with gradients.
const tolerance = 2e-3;

const without: Readonly<Record<string, string>> = {
  Range: "ONNX's Range has no float16",
  LayerNormalization: "its statistics are float32: a case of its own below",
};

const reference = openReference();
let backend: Backend;
beforeAll(async () => {
  backend = await openOnnxRuntime();
});
afterAll(() => backend.dispose());

const counts = new Map<string, number>();
const specs = operatorSpecs.filter(({ operator }) => {
  const count = counts.get(operator) ?? 0;
  counts.set(operator, count + 1);
  return count < 2 && !Object.hasOwn(without, operator);
});

describe("onnxruntime computes in float16", () => {
  test.each(specs.map((spec) => [nameOf(spec), spec] as const))("%s", async (_, spec) => {
    await expect(compareInFloat16(spec, { gradients: hasGradients(spec) })).resolves.toBeUndefined();
  });

  test("LayerNormalization: values and float32 statistics", async () => {
    const ofLayers = operatorSpecs.filter(({ operator }) => operator === "LayerNormalization");
    expect(ofLayers.some(({ outputs }) => (outputs ?? 1) > 1)).toBe(true);
    for (const spec of ofLayers) await compareInFloat16(spec, { gradients: false });
  });
});

async function compareInFloat16(spec: OperatorSpec, { gradients }: { readonly gradients: boolean }): Promise<void> {
  const graph = graphOf(spec, { float: "float16", gradients });
  const state = stateOf(graph, spec);
  const [tested, trusted] = [await backend.compile(graph, { state }), await reference.compile(graph, { state })];
  const feeds = feedsOf(graph, spec, 3);
  const [given, expected] = [await tested.run(feeds), await trusted.run(feeds)];
  compareTensors(given, expected, { tolerance, what: nameOf(spec) });
  await tested.dispose();
  await trusted.dispose();
}
