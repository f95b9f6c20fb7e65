import { EspalierError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import {
  attributeTypes,
  type OnnxAttribute,
  type OnnxDimension,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxValue,
} from "./onnx-model.ts";
import { readDtype, readTensor, type ExternalData } from "./onnx-tensor.ts";
import { fieldsOf, malformed, MessageFields } from "./protobuf-fields.ts";
import { readFloats, readInts, type ProtobufField } from "./protobuf.ts";

/** Branches within branches; real models have about 4. A deeper file could only be meant to exhaust the stack. */
const maxDepth = 32;

/** What `decodeOnnx` takes besides the bytes. */
export interface DecodeOnnxOptions {
  /** Reads tensors that are in other files. Without it such a model is refused. */
  readonly externalData?: ExternalData;
}

/** What the readers of nested messages share. */
interface Reading {
  readonly externalData: ExternalData | undefined;
  readonly depth: number;
}

/**
 * Reads an `.onnx` file's model, as the file has it: nothing is adapted to another opset, nothing is checked but the format.
 *
 * Made for files of unknown origin: what is allocated is at most a small multiple of the file's own size, branches are read up to a fixed
 * depth, and fields that it does not know are passed over.
 *
 * @throws DATA_MALFORMED when the bytes are not an ONNX model; FORMAT_UNSUPPORTED for element types and constructs that Espalier does not
 *   have (bfloat16, sequences, functions, sparse tensors, tensors in other files without `externalData`)
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
export function decodeOnnx(bytes: Uint8Array, { externalData }: DecodeOnnxOptions = {}): OnnxModel {
  const fields = new MessageFields(bytes);
  const graph = fields.last(7) ?? malformed("it has no graph");
  if (fields.all(25).length > 0) {
    const names = fields.all(25).map((item) => new MessageFields(item).text(1));
    unsupported(`the model defines functions (${names.join(", ")}); inline them first, as onnx.inliner does`, { functions: names });
  }
  const producerVersion = fields.text(3);
  const doc = fields.text(6);
  return {
    producer: fields.text(2),
    ...(producerVersion !== "" && { producerVersion }),
    ...(doc !== "" && { doc }),
    irVersion: fields.int(1) ?? 0,
    opsets: Object.fromEntries(fields.all(8).map(readOpset)),
    metadata: Object.fromEntries(fields.all(14).map(readEntry)),
    ...readGraph(graph, { externalData, depth: 0 }),
  };
}

function readOpset(field: ProtobufField): readonly [string, number] {
  const opset = new MessageFields(field);
  const domain = opset.text(1);
  return [domain === "ai.onnx" ? "" : domain, opset.int(2) ?? 0];
}

function readEntry(field: ProtobufField): readonly [string, string] {
  const entry = new MessageFields(field);
  return [entry.text(1), entry.text(2)];
}

function readGraph(field: ProtobufField, reading: Reading): OnnxGraph {
  if (reading.depth > maxDepth) malformed(`its branches are nested more than ${maxDepth} deep`);
  const fields = new MessageFields(field);
  if (fields.all(15).length > 0) unsupported("the model has sparse initializers; make them dense first");
  return {
    name: fields.text(2),
    inputs: fields.all(11).map(readValue),
    outputs: fields.all(12).map(readValue),
    initializers: readInitializers(fields.all(5), reading),
    nodes: fields.all(1).map((node) => readNode(node, reading)),
  };
}

function readInitializers(fields: readonly ProtobufField[], { externalData }: Reading): Readonly<Record<string, Tensor>> {
  const initializers = new Map<string, Tensor>();
  for (const field of fields) {
    const { name, value } = readTensor(field, externalData);
    if (initializers.has(name)) malformed(`the initializer "${name}" is there twice`);
    initializers.set(name, value);
  }
  return Object.fromEntries(initializers);
}

function readNode(field: ProtobufField, reading: Reading): OnnxNode {
  const fields = new MessageFields(field);
  const domain = fields.text(7);
  const name = fields.text(3);
  return {
    name,
    operator: fields.text(4),
    domain: domain === "ai.onnx" ? "" : domain,
    inputs: fields.texts(1),
    outputs: fields.texts(2),
    attributes: Object.fromEntries(fields.all(5).map((item) => readAttribute(item, `${name} (${fields.text(4)})`, reading))),
  };
}

function readAttribute(field: ProtobufField, node: string, reading: Reading): readonly [string, OnnxAttribute] {
  const fields = new MessageFields(field);
  const name = fields.text(1);
  const type = fields.int(20) ?? malformed(`attribute "${name}" of node ${node} has no type`);
  const kind = (Object.keys(attributeTypes) as OnnxAttribute["kind"][]).find((key) => attributeTypes[key] === type); // the table's own keys
  const required = (number: number): ProtobufField => fields.last(number) ?? malformed(`attribute "${name}" of node ${node} has no value`);
  switch (kind) {
    case "float":
      return [name, { kind, value: fields.all(2).flatMap(readFloats).at(-1) ?? 0 }];
    case "int":
      return [name, { kind, value: exact(fields.int(3) ?? 0) }];
    case "string":
      return [name, { kind, value: fields.text(4) }];
    case "tensor":
      return [name, { kind, value: readTensor(required(5), reading.externalData).value }];
    case "graph":
      return [name, { kind, value: readGraph(required(6), { ...reading, depth: reading.depth + 1 }) }];
    case "floats":
      return [name, { kind, value: fields.all(7).flatMap(readFloats) }];
    case "ints":
      return [name, { kind, value: fields.all(8).flatMap(readInts).map(exact) }];
    case "strings":
      return [name, { kind, value: fields.texts(9) }];
    case undefined:
      return unsupported(`attribute "${name}" of node ${node} is of type ${type} (sparse tensors, types or lists of graphs), which is not read`);
    default:
      return kind satisfies never;
  }
}

/** Exporters write "to the end" as the largest int64; the largest exact number says the same. */
function exact(value: number): number {
  return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

function readValue(field: ProtobufField): OnnxValue {
  const fields = new MessageFields(field);
  const name = fields.text(1);
  const type = fields.message(2);
  if ([4, 5, 8, 9].some((kind) => type?.last(kind) !== undefined)) {
    unsupported(`value "${name}" is not a tensor (a sequence, a map, an optional or a sparse tensor)`);
  }
  const tensorType = type?.message(1);
  const elementType = tensorType?.int(1) ?? 0;
  if (tensorType === undefined || elementType === 0) return { name, dtype: undefined, shape: undefined };
  const shape = tensorType.last(2);
  const dtype = readDtype(elementType, `value "${name}"`);
  return { name, dtype, shape: shape === undefined ? undefined : fieldsOf(shape).flatMap((item) => (item.field === 1 ? [readDimension(item)] : [])) };
}

function readDimension(field: ProtobufField): OnnxDimension {
  const fields = new MessageFields(field);
  return fields.int(1) ?? fields.text(2);
}

function unsupported(message: string, details: Readonly<Record<string, unknown>> = {}): never {
  throw new EspalierError("FORMAT_UNSUPPORTED", `this ONNX model cannot be read: ${message}`, details);
}
