import { EspalierError } from "../errors.ts";
import { findOperator } from "../operators/index.ts";
import { allocate, bytesPerElement, elementCount, type DType, type Tensor } from "../tensor.ts";
import { decodeBase64 } from "./base64.ts";
import { GraphBuilder } from "./builder.ts";
import { formatShape, type Attribute, type Dimension, type Graph, type RandomFeed, type StateValue } from "./graph.ts";

/** Bounds on what `graphFromJson` takes. */
export interface GraphLimits {
  /** Nodes, and entries of every other list. */
  readonly maxEntries?: number;
  /** All constants together. */
  readonly maxConstantBytes?: number;
  /** Of any one value, with a batch of one. */
  readonly maxElements?: number;
}

/**
 * Reads a graph that anyone may have written: every field is checked, every type inferred again, nothing in it is executed.
 *
 * The default limits leave room for hundreds of layers with training nodes, 256 MiB of constants and values of 2^28 elements.
 * @throws GRAPH_INVALID naming the field; GRAPH_SHAPE when a node does not take its inputs
 */
export function graphFromJson(json: unknown, { maxEntries = 100_000, maxConstantBytes = 2 ** 28, maxElements = 2 ** 28 }: GraphLimits = {}): Graph {
  const reader = new Reader(maxEntries);
  const fields = reader.fields(json, "graph");
  const builder = new GraphBuilder(reader.text(fields["name"], "name"));
  const checkSize = (name: string): void => {
    const { shape } = builder.value(name);
    const count = elementCount(shape.map((size) => (size === "batch" ? 1 : size)));
    if (count > maxElements) invalid(`value "${name}" of shape ${formatShape(shape)} has more than ${maxElements} elements`);
  };
  for (const [item, path] of reader.list(fields["inputs"], "inputs")) {
    const { name, dtype, shape, random } = reader.fields(item, path);
    const options = random === undefined ? {} : { random: reader.random(random, `${path}.random`) };
    const sizes = reader.shape(shape, `${path}.shape`);
    checkSize(builder.input(reader.name(name, `${path}.name`), reader.dtype(dtype, `${path}.dtype`), sizes, options).name);
  }
  for (const [item, path] of reader.list(fields["state"], "state")) {
    const { name, dtype, shape, role } = reader.fields(item, path);
    const sizes = reader.sizes(shape, `${path}.shape`);
    const options = { role: reader.role(role, `${path}.role`) };
    checkSize(builder.state(reader.name(name, `${path}.name`), reader.dtype(dtype, `${path}.dtype`), sizes, options).name);
  }
  let bytesLeft = maxConstantBytes;
  for (const [item, path] of reader.list(fields["constants"], "constants")) {
    const { name, dtype, shape, data } = reader.fields(item, path);
    const constant = readConstant(reader, { path, dtype, shape, data, maxBytes: bytesLeft });
    if (ArrayBuffer.isView(constant.data)) bytesLeft -= constant.data.byteLength;
    builder.constant(constant, reader.name(name, `${path}.name`));
  }
  for (const [item, path] of reader.list(fields["nodes"], "nodes")) {
    const node = reader.fields(item, path);
    const operator = reader.name(node["operator"], `${path}.operator`);
    const names = (value: unknown, at: string): string[] => reader.list(value, at).map(([entry, place]) => reader.text(entry, place));
    const outputs = builder.addNode({
      name: reader.name(node["name"], `${path}.name`),
      operator,
      inputs: names(node["inputs"], `${path}.inputs`),
      outputs: names(node["outputs"], `${path}.outputs`),
      attributes: readAttributesJson(reader, { operator, value: node["attributes"], path: `${path}.attributes` }),
    });
    for (const output of outputs) checkSize(output.name);
  }
  for (const [name, value] of reader.pairs(fields["outputs"], "outputs")) builder.output(name, builder.value(value));
  for (const [state, value] of reader.pairs(fields["updates"], "updates")) builder.update(state, builder.value(value));
  return builder.build();
}

/** Reads JSON values; every refusal names the path of the field. */
class Reader {
  readonly maxEntries: number;

  constructor(maxEntries: number) {
    this.maxEntries = maxEntries;
  }

  fields(value: unknown, path: string): Readonly<Record<string, unknown>> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return wrong(path, "an object", value);
    return value as Record<string, unknown>; // any object is one
  }

  list(value: unknown, path: string): readonly (readonly [item: unknown, path: string])[] {
    if (!Array.isArray(value)) return wrong(path, "a list", value);
    if (value.length > this.maxEntries) invalid(`${path} has ${value.length} entries, more than ${this.maxEntries}`);
    return value.map((item: unknown, i) => [item, `${path}[${i}]`]);
  }

  text(value: unknown, path: string): string {
    if (typeof value !== "string" || value.length > 1000) return wrong(path, "a text of at most 1000 characters", value);
    return value;
  }

  name(value: unknown, path: string): string {
    const name = this.text(value, path);
    return name === "" ? wrong(path, "a name", value) : name;
  }

  pairs(value: unknown, path: string): readonly (readonly [string, string])[] {
    return this.list(value, path).map(([item, at]) => {
      const entries = this.list(item, at).map(([entry, place]) => this.name(entry, place));
      const [key, target] = entries;
      return key === undefined || target === undefined || entries.length !== 2 ? wrong(at, "a pair of names", item) : [key, target];
    });
  }

  dtype(value: unknown, path: string): DType {
    if (value === "string" || (typeof value === "string" && Object.hasOwn(bytesPerElement, value))) return value as DType; // compared with all of them
    return wrong(path, "an element type", value);
  }

  role(value: unknown, path: string): StateValue["role"] {
    return value === "parameter" || value === "slot" || value === "statistic" ? value : wrong(path, "parameter, slot or statistic", value);
  }

  random(value: unknown, path: string): RandomFeed {
    const { distribution, probability } = this.fields(value, path);
    if (distribution === "uniform" || distribution === "normal") return { distribution };
    if (distribution !== "bernoulli") return wrong(`${path}.distribution`, "uniform, normal or bernoulli", distribution);
    if (typeof probability === "number" && probability >= 0 && probability <= 1) return { distribution, probability };
    return wrong(`${path}.probability`, "a number from 0 to 1", probability);
  }

  shape(value: unknown, path: string): readonly Dimension[] {
    const items = this.list(value, path);
    if (items.length > 8) invalid(`${path} has ${items.length} axes, more than 8`);
    return items.map(([item, at]) => {
      if (item === "batch") return item;
      return typeof item === "number" && Number.isSafeInteger(item) && item >= 0 ? item : wrong(at, "a size", item);
    });
  }

  sizes(value: unknown, path: string): readonly number[] {
    return this.shape(value, path).map((size) => (size === "batch" ? wrong(path, "a shape of numbers", value) : size));
  }
}

function readConstant(
  reader: Reader,
  { path, dtype, shape, data, maxBytes }: { path: string; dtype: unknown; shape: unknown; data: unknown; maxBytes: number },
): Tensor {
  const type = reader.dtype(dtype, `${path}.dtype`);
  const sizes = reader.sizes(shape, `${path}.shape`);
  const count = elementCount(sizes);
  if (type === "string") {
    const items = reader.list(data, `${path}.data`).map(([item, at]) => reader.text(item, at));
    if (items.length !== count) invalid(`${path}.data has ${items.length} entries, but shape ${formatShape(sizes)} takes ${count}`);
    return { dtype: type, shape: sizes, data: items };
  }
  if (typeof data !== "string") return wrong(`${path}.data`, "base64", data);
  const expected = count * bytesPerElement[type];
  if (expected > maxBytes) invalid(`${path}: the constants have more bytes than are allowed`);
  if (data.length !== 4 * Math.ceil(expected / 3))
    invalid(`${path}.data has ${data.length} characters; ${type} ${formatShape(sizes)} takes ${4 * Math.ceil(expected / 3)}`);
  const bytes = decodeBase64(data) ?? invalid(`${path}.data is not base64`);
  if (bytes.length !== expected) invalid(`${path}.data has ${bytes.length} bytes, but ${type} ${formatShape(sizes)} takes ${expected}`);
  if (type === "bool" && bytes.some((byte) => byte > 1)) invalid(`${path}.data holds a bool that is neither 0 nor 1`);
  const memory = allocate(type, count);
  new Uint8Array(memory.buffer).set(bytes);
  return { dtype: type, shape: sizes, data: memory };
}

function readAttributesJson(
  reader: Reader,
  { operator, value, path }: { operator: string; value: unknown; path: string },
): Record<string, Attribute> {
  const specs = findOperator(operator)?.attributes ?? {};
  const entries = Object.entries(reader.fields(value, path)).map(([name, item]): [string, Attribute] => {
    const kind = Object.hasOwn(specs, name) ? specs[name]?.kind : undefined;
    const at = `${path}.${name}`;
    if (Array.isArray(item)) return [name, reader.list(item, at).map(([entry, place]) => readAttribute(entry, place, kind)) as Attribute]; // the builder checks that kinds agree
    return [name, readAttribute(item, at, kind)];
  });
  return Object.fromEntries(entries);
}

function readAttribute(value: unknown, path: string, kind: string | undefined): number | string {
  if ((kind === "float" || kind === "floats") && (value === "NaN" || value === "Infinity" || value === "-Infinity")) return Number(value);
  if (typeof value === "number" || typeof value === "string") return value;
  return wrong(path, "a number or a text", value);
}

function wrong(path: string, wanted: string, value: unknown): never {
  const shown = JSON.stringify(value)?.slice(0, 60) ?? "nothing";
  return invalid(`${path} must be ${wanted}, not ${shown}`, { path });
}

function invalid(message: string, details: Record<string, unknown> = {}): never {
  throw new EspalierError("GRAPH_INVALID", message, details);
}
