export { bundleMetadataKey, bundleToOnnx } from "./bundle-to-onnx.ts";
export { toOnnx, toOnnxModel, onnxAttributes, opsets, type ToOnnxOptions } from "./onnx.ts";
export { encodeOnnx, type OnnxAttribute, type OnnxDimension, type OnnxGraph, type OnnxModel, type OnnxNode, type OnnxValue } from "./onnx-model.ts";
export { decodeOnnx, type DecodeOnnxOptions } from "./onnx-reader.ts";
export type { ExternalData, ExternalRange } from "./onnx-tensor.ts";
export { importOnnx, readableOpsets, type ImportOnnxOptions } from "./onnx-import/import-onnx.ts";
export { onnxToBundle, type OnnxToBundleOptions } from "./onnx-to-bundle.ts";
