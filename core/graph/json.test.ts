import fc from "fast-check";
import { expect, test } from "vitest";
import { EspalierError } from "../errors.ts";
import { scalar, tensor } from "../tensor.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { GraphBuilder } from "./builder.ts";
import { graphFromJson } from "./from-json.ts";
import type { Graph } from "./graph.ts";
import { hashGraph } from "./hash.ts";
import { graphToJson } from "./json.ts";

function sample(): Graph {
  const b = new GraphBuilder("sample");
  const x = b.input("x", "float32", ["batch", 3]);
  const w = b.state("w", "float32", [3, 2]);
  const slot = b.state("adam/v/w", "float32", [3, 2], { role: "slot" });
  const y = b.op("Clip", [b.op("MatMul", [x, w]), undefined, b.scalar(6, "float32")]);
  b.output("y", b.op("Reshape", [y, b.ints([-1, 2, 1])]));
  b.output("odd", b.op("Elu", [x], { alpha: Infinity }));
  b.update("w", b.op("Add", [w, slot]));
  b.output("names", b.constant(tensor("string", [2], ["a", "ß"])));
  return b.build();
}

test("a graph comes back from JSON text as it was", () => {
  const graph = sample();
  const back = graphFromJson(JSON.parse(JSON.stringify(graphToJson(graph))));
  expect(back).toEqual(graph);
});

test("bytes survive base64, of every length", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(decodeBase64(encodeBase64(bytes))).toEqual(Uint8Array.from(bytes));
    }),
  );
  const long = Uint8Array.from({ length: 20_000 }, (_, i) => i % 251);
  expect(decodeBase64(encodeBase64(long))).toEqual(long);
  expect(decodeBase64("ab=c")).toBeUndefined();
  expect(decodeBase64("abc")).toBeUndefined();
});

test.each<{ what: string; path: readonly (string | number)[]; value: unknown; message: RegExp }>([
  { what: "no object", path: [], value: null, message: /^graph must be an object, not null/ },
  { what: "a list", path: [], value: [], message: /^graph must be an object/ },
  { what: "a missing list", path: ["inputs"], value: undefined, message: /^inputs must be a list, not nothing/ },
  { what: "a name that is no text", path: ["inputs", 0, "name"], value: 5, message: /^inputs\[0\].name must be a text/ },
  { what: "an empty name", path: ["inputs", 0, "name"], value: "", message: /^inputs\[0\].name must be a name/ },
  { what: "an unknown element type", path: ["inputs", 0, "dtype"], value: "toString", message: /^inputs\[0\].dtype must be an element type/ },
  { what: "a negative size", path: ["inputs", 0, "shape"], value: ["batch", -1], message: /^inputs\[0\].shape\[1\] must be a size, not -1/ },
  { what: "another symbol", path: ["inputs", 0, "shape"], value: ["n", 3], message: /^inputs\[0\].shape\[0\] must be a size, not "n"/ },
  { what: "too many axes", path: ["inputs", 0, "shape"], value: [1, 1, 1, 1, 1, 1, 1, 1, 1], message: /has 9 axes, more than 8/ },
  { what: "a huge value", path: ["state", 0, "shape"], value: [1e9, 1e9], message: /value "w" of shape .* has more than 268435456 elements/ },
  { what: "symbolic state", path: ["state", 0, "shape"], value: ["batch", 2], message: /^state\[0\].shape must be a shape of numbers/ },
  { what: "an unknown role", path: ["state", 0, "role"], value: "boss", message: /^state\[0\].role must be parameter, slot or statistic/ },
  {
    what: "a constant of the wrong length",
    path: ["constants", 0, "data"],
    value: "AAAA",
    message: /^constants\[0\].data has 4 characters; float32 \[\] takes 8/,
  },
  { what: "a constant that is no base64", path: ["constants", 0, "data"], value: "AA!AAA==", message: /^constants\[0\].data is not base64/ },
  { what: "an unknown operator", path: ["nodes", 0, "operator"], value: "Evaluate", message: /no operator "Evaluate"/ },
  { what: "an operator called as a member of objects", path: ["nodes", 0, "operator"], value: "constructor", message: /no operator "constructor"/ },
  { what: "a value used before its definition", path: ["nodes", 0, "inputs"], value: ["x", "later"], message: /no value "later"/ },
  { what: "an unknown attribute", path: ["nodes", 0, "attributes"], value: { constructor: 1 }, message: /no attribute "constructor"/ },
  {
    what: "an attribute that is an object",
    path: ["nodes", 0, "attributes"],
    value: { x: {} },
    message: /^nodes\[0\].attributes.x must be a number or a text/,
  },
  { what: "an output that is no pair", path: ["outputs", 0], value: ["y"], message: /^outputs\[0\] must be a pair of names/ },
  { what: "an output of nothing", path: ["outputs", 0], value: ["y", "z"], message: /no value "z"/ },
  { what: "an update of what is no state", path: ["updates", 0], value: ["x", "w"], message: /no state "x"/ },
])("$what is refused with the field", ({ path, value, message }) => {
  expect(() => graphFromJson(changed(graphToJson(sample()), path, value))).toThrow(message);
});

test("more entries or bytes than the limits are refused", () => {
  const json = graphToJson(sample());
  expect(() => graphFromJson(json, { maxEntries: 4 })).toThrow(/nodes has 5 entries, more than 4/);
  expect(() => graphFromJson(json, { maxConstantBytes: 3 })).toThrow(/constants have more bytes than are allowed/);
  expect(() => graphFromJson(json, { maxElements: 5 })).toThrow(/"w" of shape \[3, 2\] has more than 5 elements/);
});

test("whatever is changed in a graph's JSON, it is read or refused with a GRAPH error", () => {
  const json = graphToJson(sample());
  const places = [...paths(json)];
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom("x", "w", "batch", "", "__proto__", -1, 1e300, 2 ** 53, "Shape", "int64", [], ["x"], { axis: -9 }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...places), anything, (path, value) => {
      try {
        graphFromJson(changed(json, path, value));
      } catch (error) {
        expect(error).toBeInstanceOf(EspalierError);
        expect((error as EspalierError).code).toMatch(/^GRAPH_(INVALID|SHAPE)$/); // its class was checked
      }
    }),
    { numRuns: 2000, seed: 1 },
  );
});

test("the hash is of what a graph computes: names inside, order, dead nodes and written-out defaults do not count", () => {
  const build = (swap: boolean, { name = "a", factor = 2, output = "y" } = {}): string => {
    const b = new GraphBuilder(name);
    const x = b.input("x", "float32", ["batch"]);
    const first = (): ReturnType<typeof b.op> => b.op("Exp", [x], {}, { name: `${name}/exp` });
    const second = (): ReturnType<typeof b.op> => b.op("Elu", [x], swap ? { alpha: 1 } : {}, { name: `${name}/elu` });
    const [one, two] = swap ? [second(), first()].toReversed() : [first(), second()];
    if (swap) b.op("Neg", [x]);
    b.output(output, b.op("Mul", [b.op("Add", [one, two]), b.constant(scalar(factor), `${name}/factor`)]));
    return hashGraph(b.build());
  };
  expect(build(false)).toMatch(/^[0-9a-f]{64}$/);
  expect(build(true, { name: "b" })).toBe(build(false));
  expect(build(false, { factor: 3 })).not.toBe(build(false));
  expect(build(false, { output: "z" })).not.toBe(build(false));
});

test("the hash tells an attribute of Infinity from one that is left out, and types of inputs from one another", () => {
  const build = (dtype: "float32" | "float64", attributes: Record<string, number>): string => {
    const b = new GraphBuilder("g");
    b.output("y", b.op("Elu", [b.input("x", dtype, [2])], attributes));
    return hashGraph(b.build());
  };
  const hashes = [build("float32", {}), build("float64", {}), build("float32", { alpha: Infinity }), build("float32", { alpha: NaN })];
  expect(new Set(hashes).size).toBe(4);
});

/** A deep copy of JSON with the value at a path replaced. */
function changed(json: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const entries = Object.entries(json as object).map(([name, item]) => [name, name === String(key) ? changed(item, rest, value) : item] as const);
  return Array.isArray(json) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}

/** The paths of every value in JSON. */
function* paths(json: unknown, path: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  yield path;
  if (typeof json !== "object" || json === null) return;
  for (const [key, item] of Object.entries(json)) yield* paths(item, [...path, key]);
}
