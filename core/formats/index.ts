export { toOnnx, toOnnxModel, onnxAttributes, opsets, type ToOnnxOptions } from "./onnx.ts";
export { encodeOnnx, type OnnxAttribute, type OnnxModel, type OnnxNode, type OnnxValue } from "./onnx-model.ts";
export { decodeOnnx } from "./onnx-reader.ts";
