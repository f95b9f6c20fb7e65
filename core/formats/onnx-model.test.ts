import fc from "fast-check";
import { expect, test } from "vitest";
import { EspalierError } from "../errors.ts";
import { tensor, type Tensor } from "../tensor.ts";
import { encodeOnnx, type OnnxAttribute, type OnnxModel } from "./onnx-model.ts";
import { decodeOnnx } from "./onnx-reader.ts";

const name = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_/.:]{0,8}$/);
const float = fc.float({ noNaN: true });

const attribute: fc.Arbitrary<OnnxAttribute> = fc.oneof(
  fc.record({ kind: fc.constant("int" as const), value: fc.maxSafeInteger() }),
  fc.record({ kind: fc.constant("float" as const), value: float }),
  fc.record({ kind: fc.constant("string" as const), value: fc.string() }),
  fc.record({ kind: fc.constant("ints" as const), value: fc.array(fc.maxSafeInteger(), { maxLength: 4 }) }),
  fc.record({ kind: fc.constant("floats" as const), value: fc.array(float, { maxLength: 4 }) }),
  fc.record({ kind: fc.constant("strings" as const), value: fc.array(fc.string(), { maxLength: 4 }) }),
);

const initializer: fc.Arbitrary<Tensor> = fc.oneof(
  fc.array(float, { maxLength: 6 }).map((values) => tensor("float32", [values.length], values)),
  fc.array(float, { maxLength: 6 }).map((values) => tensor("float16", [values.length], values)),
  fc.array(fc.double({ noNaN: true }), { maxLength: 6 }).map((values) => tensor("float64", [1, values.length], values)),
  fc.array(fc.integer(), { maxLength: 6 }).map((values) => tensor("int32", [values.length], values)),
  fc.maxSafeInteger().map((value) => tensor("int64", [], [value])),
  fc.array(fc.boolean(), { maxLength: 6 }).map((values) => tensor("bool", [values.length], values)),
  fc.array(fc.string(), { maxLength: 3 }).map((values) => tensor("string", [values.length], values)),
);

const value = fc.record({
  name,
  dtype: fc.constantFrom("float16" as const, "float32" as const, "int64" as const, "string" as const),
  shape: fc.array(fc.oneof(fc.constant("batch" as const), fc.nat(1000)), { maxLength: 4 }),
});

const model: fc.Arbitrary<OnnxModel> = fc.record({
  name,
  producer: name,
  irVersion: fc.integer({ min: 1, max: 12 }),
  opsets: fc.record({ "": fc.integer({ min: 1, max: 30 }), "com.microsoft": fc.constant(1) }),
  inputs: fc.array(value, { maxLength: 3 }),
  outputs: fc.array(value, { maxLength: 3 }),
  initializers: fc.dictionary(name, initializer, { noNullPrototype: true, maxKeys: 4 }),
  nodes: fc.array(
    fc.record({
      name,
      operator: name,
      domain: fc.constantFrom("", "com.microsoft"),
      inputs: fc.array(fc.oneof(name, fc.constant("")), { maxLength: 3 }),
      outputs: fc.array(name, { maxLength: 3 }),
      attributes: fc.dictionary(name, attribute, { noNullPrototype: true, maxKeys: 4 }),
    }),
    { maxLength: 4 },
  ),
  metadata: fc.dictionary(name, fc.string(), { noNullPrototype: true, maxKeys: 3 }),
});

test("a model comes back from its bytes as it was", () => {
  fc.assert(
    fc.property(model, (original) => {
      expect(decodeOnnx(encodeOnnx(original))).toEqual(original);
    }),
  );
});

test("a model with a flipped or missing byte is read as another model or refused with an error code, never anything else", () => {
  fc.assert(
    fc.property(model, fc.nat(), fc.nat(255), fc.boolean(), (original, position, byte, cut) => {
      const bytes = encodeOnnx(original);
      const damaged = cut ? bytes.subarray(0, position % bytes.length) : bytes.with(position % bytes.length, byte);
      try {
        decodeOnnx(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(EspalierError);
      }
    }),
    { numRuns: 500 },
  );
});
