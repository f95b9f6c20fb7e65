import { dtypeCodes } from "../operators/cast.ts";
import type { DType, Tensor } from "../tensor.ts";
import { ProtobufWriter } from "./protobuf.ts";

/** An attribute with the type that ONNX writes beside its value. */
export type OnnxAttribute =
  | { readonly kind: "int" | "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "ints" | "floats"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensor"; readonly value: Tensor }
  | { readonly kind: "graph"; readonly value: OnnxGraph };

/** ONNX's `NodeProto`. */
export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  /** "" for ai.onnx. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A size, a symbol's name, or "" for a size that the file leaves open. */
export type OnnxDimension = number | string;

/** ONNX's `ValueInfoProto` of a tensor. */
export interface OnnxValue {
  readonly name: string;
  /** Undefined when the file does not say, as of outputs it need not. */
  readonly dtype: DType | undefined;
  /** Undefined when not even the rank is said. */
  readonly shape: readonly OnnxDimension[] | undefined;
}

/** ONNX's `GraphProto`: a model's graph, or a branch of `If`. */
export interface OnnxGraph {
  readonly name: string;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: Readonly<Record<string, Tensor>>;
  readonly nodes: readonly OnnxNode[];
  /** The types of inner values, for viewers; written, not read. */
  readonly values?: readonly OnnxValue[];
}

/** The parts of ONNX's `ModelProto` that Espalier writes and reads. */
export interface OnnxModel extends OnnxGraph {
  readonly producer: string;
  readonly producerVersion?: string;
  /** `doc_string`: prose for people. */
  readonly doc?: string;
  readonly irVersion: number;
  /** Version by domain; "" is ai.onnx. */
  readonly opsets: Readonly<Record<string, number>>;
  /** `metadata_props`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** `AttributeProto.AttributeType`. */
export const attributeTypes: Readonly<Record<OnnxAttribute["kind"], number>> = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
};

/**
 * The bytes of an `.onnx` file.
 *
 * @throws ARGUMENT_INVALID when the model is over protobuf's 2 GiB
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto for the field numbers
 */
export function encodeOnnx(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const writer = new ProtobufWriter();
  writer.int(1, model.irVersion);
  writer.string(2, model.producer);
  if (model.producerVersion !== undefined) writer.string(3, model.producerVersion);
  if (model.doc !== undefined) writer.string(6, model.doc);
  writer.message(7, (graph) => writeGraph(graph, model));
  for (const [domain, version] of Object.entries(model.opsets)) {
    writer.message(8, (opset) => {
      if (domain !== "") opset.string(1, domain);
      opset.int(2, version);
    });
  }
  for (const [key, value] of Object.entries(model.metadata)) {
    writer.message(14, (entry) => {
      entry.string(1, key);
      entry.string(2, value);
    });
  }
  return writer.finish();
}

function writeGraph(graph: ProtobufWriter, model: OnnxGraph): void {
  for (const node of model.nodes) graph.message(1, (writer) => writeNode(writer, node));
  graph.string(2, model.name);
  for (const [name, value] of Object.entries(model.initializers)) graph.message(5, (writer) => writeTensor(writer, name, value));
  for (const input of model.inputs) graph.message(11, (writer) => writeValue(writer, input));
  for (const output of model.outputs) graph.message(12, (writer) => writeValue(writer, output));
  for (const value of model.values ?? []) graph.message(13, (writer) => writeValue(writer, value));
}

function writeNode(writer: ProtobufWriter, node: OnnxNode): void {
  for (const input of node.inputs) writer.string(1, input);
  for (const output of node.outputs) writer.string(2, output);
  writer.string(3, node.name);
  writer.string(4, node.operator);
  for (const [name, attribute] of Object.entries(node.attributes)) writer.message(5, (inner) => writeAttribute(inner, name, attribute));
  if (node.domain !== "") writer.string(7, node.domain);
}

function writeAttribute(writer: ProtobufWriter, name: string, attribute: OnnxAttribute): void {
  writer.string(1, name);
  switch (attribute.kind) {
    case "float":
      writer.float(2, attribute.value);
      break;
    case "int":
      writer.int(3, attribute.value);
      break;
    case "string":
      writer.string(4, attribute.value);
      break;
    case "floats":
      writer.packedFloats(7, attribute.value);
      break;
    case "ints":
      writer.packedInts(8, attribute.value);
      break;
    case "strings":
      for (const value of attribute.value) writer.string(9, value);
      break;
    case "tensor":
      writer.message(5, (inner) => writeTensor(inner, "", attribute.value));
      break;
    case "graph":
      writer.message(6, (inner) => writeGraph(inner, attribute.value));
      break;
    default:
      attribute satisfies never;
  }
  writer.int(20, attributeTypes[attribute.kind]);
}

function writeTensor(writer: ProtobufWriter, name: string, value: Tensor): void {
  writer.packedInts(1, value.shape);
  writer.int(2, dtypeCodes[value.dtype]);
  if (ArrayBuffer.isView(value.data)) {
    // ONNX's raw data is little-endian, as is every platform that JavaScript runs on today.
    writer.bytes(9, new Uint8Array(value.data.buffer, value.data.byteOffset, value.data.byteLength));
  } else {
    for (const text of value.data) writer.string(6, text);
  }
  if (name !== "") writer.string(8, name);
}

function writeValue(writer: ProtobufWriter, value: OnnxValue): void {
  writer.string(1, value.name);
  const { dtype, shape: sizes } = value;
  if (dtype === undefined) return;
  writer.message(2, (type) =>
    type.message(1, (tensorType) => {
      tensorType.int(1, dtypeCodes[dtype]);
      if (sizes === undefined) return;
      tensorType.message(2, (shape) => {
        for (const size of sizes) {
          shape.message(1, (dimension) => {
            if (typeof size === "number") dimension.int(1, size);
            else if (size !== "") dimension.string(2, size);
          });
        }
      });
    }),
  );
}
