import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openOnnxRuntime } from "../../backends/onnxruntime/index.ts";
import { loweredInFloat64 } from "../../backends/onnxruntime/kernel-gaps.ts";
import { openReference } from "../../backends/reference/index.ts";
import type { Backend } from "../../core/index.ts";
import { compareTensors } from "./compare.ts";
import { hasGradients } from "./operator-case.ts";
import { feedsOf, graphOf, nameOf, stateOf } from "./operator-spec.ts";
import { operatorSpecs } from "./specs.ts";

// Operators for which ONNX Runtime has no float64 kernel are written in others that have one: two cases of each, with gradients, in full precision.
const tolerance = 1e-9;
const reference = openReference();
let backend: Backend;
beforeAll(async () => {
  backend = await openOnnxRuntime();
});
afterAll(() => backend.dispose());

const specs = [...loweredInFloat64].flatMap((operator) => operatorSpecs.filter((spec) => spec.operator === operator).slice(0, 2));

describe("onnxruntime computes in float64 what it has no kernel for", () => {
  test.each(specs.map((spec) => [nameOf(spec), spec] as const))("%s", async (name, spec) => {
    const graph = graphOf(spec, { float: "float64", gradients: hasGradients(spec) });
    const state = stateOf(graph, spec);
    const [tested, trusted] = [await backend.compile(graph, { state }), await reference.compile(graph, { state })];
    const feeds = feedsOf(graph, spec, 3);
    const [given, expected] = [await tested.run(feeds), await trusted.run(feeds)];
    expect(() => compareTensors(given, expected, { tolerance, what: name })).not.toThrow();
    await tested.dispose();
    await trusted.dispose();
  });
});
