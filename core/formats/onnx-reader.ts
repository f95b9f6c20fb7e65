import { EspalierError } from "../errors.ts";
import type { Dimension } from "../graph/graph.ts";
import { dtypeOfCode } from "../operators/cast.ts";
import { tensor, type DType, type Tensor } from "../tensor.ts";
import { attributeTypes, type OnnxAttribute, type OnnxModel, type OnnxNode, type OnnxValue } from "./onnx-model.ts";
import { readFloats, readInts, readProtobuf, type ProtobufField } from "./protobuf.ts";

/**
 * Reads what `encodeOnnx` writes, and other writers' models as far as they keep to it: tensors as raw data or strings, no subgraphs.
 *
 * @throws DATA_MALFORMED when the bytes are not such a model
 */
export function decodeOnnx(bytes: Uint8Array): OnnxModel {
  const model = { name: "", producer: "", irVersion: 0, opsets: {} as Record<string, number>, metadata: {} as Record<string, string> };
  const graph = {
    inputs: [] as OnnxValue[],
    outputs: [] as OnnxValue[],
    initializers: {} as Record<string, Tensor>,
    nodes: [] as OnnxNode[],
  };
  for (const field of readProtobuf(bytes)) {
    if (field.field === 1) model.irVersion = readInt(field);
    else if (field.field === 2) model.producer = readText(field);
    else if (field.field === 8) model.opsets[text(field, 1)] = Number(child(field, 2)?.value ?? 0);
    else if (field.field === 14) model.metadata[text(field, 1)] = text(field, 2);
    else if (field.field === 7) {
      for (const part of fieldsOf(field)) {
        if (part.field === 1) graph.nodes.push(readNode(part));
        else if (part.field === 2) model.name = readText(part);
        else if (part.field === 5) graph.initializers[text(part, 8)] = readTensor(part);
        else if (part.field === 11) graph.inputs.push(readValue(part));
        else if (part.field === 12) graph.outputs.push(readValue(part));
      }
    }
  }
  return { ...model, ...graph };
}

function readNode(field: ProtobufField): OnnxNode {
  const fields = [...fieldsOf(field)];
  const texts = (number: number): string[] => fields.filter((item) => item.field === number).map(readText);
  return {
    name: texts(3)[0] ?? "",
    operator: texts(4)[0] ?? "",
    domain: texts(7)[0] ?? "",
    inputs: texts(1),
    outputs: texts(2),
    attributes: Object.fromEntries(fields.filter((item) => item.field === 5).map((item) => [text(item, 1), readAttribute(item)])),
  };
}

function readAttribute(field: ProtobufField): OnnxAttribute {
  const fields = [...fieldsOf(field)];
  const of = (number: number): ProtobufField[] => fields.filter((item) => item.field === number);
  const type = readInt(of(20)[0] ?? malformed(`attribute "${text(field, 1)}" has no type`));
  const kind = (Object.keys(attributeTypes) as OnnxAttribute["kind"][]).find((name) => attributeTypes[name] === type); // the table's own keys
  switch (kind) {
    case "float":
      return { kind, value: of(2).flatMap(readFloats)[0] ?? 0 };
    case "int":
      return { kind, value: of(3).map(readInt)[0] ?? 0 };
    case "string":
      return { kind, value: of(4).map(readText)[0] ?? "" };
    case "floats":
      return { kind, value: of(7).flatMap(readFloats) };
    case "ints":
      return { kind, value: of(8).flatMap(readInts) };
    case "strings":
      return { kind, value: of(9).map(readText) };
    case undefined:
      return malformed(`attribute "${text(field, 1)}" is of type ${type}, which is not read`);
    default:
      return kind satisfies never;
  }
}

function readTensor(field: ProtobufField): Tensor {
  const fields = [...fieldsOf(field)];
  const shape = fields.filter((item) => item.field === 1).flatMap(readInts);
  const dtype = readDtype(child(field, 2));
  if (dtype === "string") return tensor(dtype, shape, fields.filter((item) => item.field === 6).map(readText));
  const raw = child(field, 9) ?? malformed(`initializer "${text(field, 8)}" does not hold raw data`);
  const bytes = bytesOf(raw).slice().buffer; // a copy: the element types need aligned memory
  const memory = {
    float32: Float32Array,
    float64: Float64Array,
    int32: Int32Array,
    int64: BigInt64Array,
    uint8: Uint8Array,
    bool: Uint8Array,
  }[dtype];
  if (bytes.byteLength % memory.BYTES_PER_ELEMENT !== 0) malformed(`initializer "${text(field, 8)}" ends inside an element`);
  return tensor(dtype, shape, new memory(bytes));
}

function readValue(field: ProtobufField): OnnxValue {
  const type = child(field, 2);
  const tensorType = (type && child(type, 1)) ?? malformed(`value "${text(field, 1)}" is not a tensor`);
  const shape = child(tensorType, 2);
  return { name: text(field, 1), dtype: readDtype(child(tensorType, 1)), shape: shape === undefined ? [] : [...fieldsOf(shape)].map(readDimension) };
}

function readDimension(field: ProtobufField): Dimension {
  const value = child(field, 1);
  if (value !== undefined) return readInt(value);
  const name = text(field, 2);
  return name === "batch" ? name : malformed(`a dimension is named "${name}"; only "batch" is read`);
}

function readDtype(field: ProtobufField | undefined): DType {
  const type = field === undefined ? 0 : readInt(field);
  return dtypeOfCode(type) ?? malformed(`element type ${type} is not read`);
}

function child(field: ProtobufField, number: number): ProtobufField | undefined {
  let found: ProtobufField | undefined;
  for (const item of fieldsOf(field)) if (item.field === number) found = item;
  return found;
}

function text(field: ProtobufField, number: number): string {
  const found = child(field, number);
  return found === undefined ? "" : readText(found);
}

function fieldsOf(field: ProtobufField): Iterable<ProtobufField> {
  return readProtobuf(bytesOf(field));
}

function readText(field: ProtobufField): string {
  return new TextDecoder().decode(bytesOf(field));
}

function readInt(field: ProtobufField): number {
  return readInts(field)[0] ?? malformed(`field ${field.field} is empty`);
}

function bytesOf(field: ProtobufField): Uint8Array {
  return field.wire === "bytes" ? field.value : malformed(`field ${field.field} should hold bytes`);
}

function malformed(message: string): never {
  throw new EspalierError("DATA_MALFORMED", `not an ONNX model that can be read: ${message}`);
}
