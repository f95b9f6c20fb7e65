import { readFile } from "node:fs/promises";
import { afterAll, describe, expect, test } from "vitest";
import { openReference } from "../../../backends/reference/index.ts";
import { differences, type Golden } from "../testing/golden-layers.ts";
import { fromKerasConfig, toKerasConfig } from "./index.ts";

// Models of Keras 3 in float64 (test/golden/make-layers.py): configurations, weights, values, gradients. Ours are float32.
const cases = JSON.parse(await readFile(new URL("../../../test/golden/layers.json", import.meta.url), "utf8")) as readonly Golden[];
const backend = openReference();
afterAll(() => backend.dispose());

test.for(cases.map((golden) => [golden.name, golden] as const))("%s: values and gradients are Keras's", async ([, golden]) => {
  expect(await differences(golden, backend, { tolerance: 1e-5 })).toEqual([]);
});

describe("configurations", () => {
  test.for(cases.map((golden) => [golden.name, golden] as const))("%s: written again, it says what Keras says", ([, golden]) => {
    const model = fromKerasConfig(golden.model);
    const written = toKerasConfig(model);
    expect(unlike(layersOf(written), layersOf(golden.model), "")).toEqual([]);
    const again = fromKerasConfig(written);
    expect(again.graph).toEqual(model.graph);
    expect(again.parameters).toEqual(model.parameters);
  });
});

/** Layers by name, in either order. */
function layersOf(json: unknown): unknown {
  const { config } = json as { readonly config: { readonly layers: readonly { readonly name: string }[] } }; // both are configurations
  return Object.fromEntries(config.layers.map((layer) => [layer.name, layer]));
}

/** Where `ours` says something that `theirs` does not say; what only Keras says (types, seeds, shapes it was built for) is left out. */
function unlike(ours: unknown, theirs: unknown, path: string): readonly string[] {
  if (path.endsWith(".dtype") || (/\.(layers|config\.(name|trainable))$/.test(path) && theirs === undefined)) return [];
  if (Array.isArray(ours) && Array.isArray(theirs)) return ours.flatMap((item, i) => unlike(item, theirs[i], `${path}[${i}]`));
  if (typeof ours === "object" && ours !== null && typeof theirs === "object" && theirs !== null && !Array.isArray(theirs)) {
    return Object.entries(ours).flatMap(([key, value]) => unlike(value, (theirs as Readonly<Record<string, unknown>>)[key], `${path}.${key}`)); // an object
  }
  if (Array.isArray(theirs) && theirs.length === 1) return unlike(ours, theirs[0], path);
  return Object.is(ours, theirs) ? [] : [`${path}: ${JSON.stringify(ours)}, not ${JSON.stringify(theirs)}`];
}
