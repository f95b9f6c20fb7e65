import { reshape } from "./gradients.ts";
import { formatShape, type Dimension } from "../graph/graph.ts";
import type { InferContext, Operator } from "./operator.ts";
import { movableTypes, typed } from "./shapes.ts";

/**
 * Channels spread over blocks of blocksize x blocksize: [n, c b b, h, w] to [n, c, h b, w b]. In mode "DCR" the block's places come before the
 * channels, in "CRD" after them. Its gradient goes through its lowering.
 *
 * @see https://onnx.ai/onnx/operators/onnx__DepthToSpace.html
 */
export const depthToSpace: Operator = {
  name: "DepthToSpace",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { blocksize: { kind: "int", required: true }, mode: { kind: "string", default: "DCR" } },
  infer(context) {
    const { dtype } = typed(context, 0, movableTypes);
    const [n, c, h, w] = imageOf(context);
    const b = blockOf(context);
    const mode = context.attributes.string("mode");
    if (mode !== "DCR" && mode !== "CRD") context.fail(`mode "${mode}" is not there; use "DCR" or "CRD"`);
    if (c % (b * b) !== 0) context.fail(`${c} channels do not divide by ${b * b}, the elements of a block`);
    return [{ dtype, shape: [n, c / (b * b), h * b, w * b] }];
  },
  lower({ emit, input, attributes, outputTypes }) {
    const x = input(0);
    const [n = 1, , h = 1, w = 1] = x.shape;
    const b = attributes.int("blocksize");
    const shape = outputTypes[0]?.shape ?? x.shape;
    const c = shape[1] ?? 1;
    const blocksFirst = attributes.string("mode") === "DCR";
    const apart = reshape(emit, x, blocksFirst ? [n, b, b, c, h, w] : [n, c, b, b, h, w]);
    const turned = emit.op("Transpose", [apart], { perm: blocksFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3] });
    return [reshape(emit, turned, shape)];
  },
};

/** Blocks of blocksize x blocksize put into channels: [n, c, h, w] to [n, b b c, h / b, w / b]. @see https://onnx.ai/onnx/operators/onnx__SpaceToDepth.html */
export const spaceToDepth: Operator = {
  name: "SpaceToDepth",
  domain: "",
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { blocksize: { kind: "int", required: true } },
  infer(context) {
    const { dtype } = typed(context, 0, movableTypes);
    const [n, c, h, w] = imageOf(context);
    const b = blockOf(context);
    if (h % b !== 0 || w % b !== 0) context.fail(`an image of ${h} x ${w} does not divide into blocks of ${b} x ${b}`);
    return [{ dtype, shape: [n, c * b * b, h / b, w / b] }];
  },
  lower({ emit, input, attributes, outputTypes }) {
    const x = input(0);
    const b = attributes.int("blocksize");
    const shape = outputTypes[0]?.shape ?? x.shape;
    const [n = 1, , h = 1, w = 1] = shape;
    const apart = reshape(emit, x, [n, x.shape[1] ?? 1, h, b, w, b]);
    return [reshape(emit, emit.op("Transpose", [apart], { perm: [0, 3, 5, 1, 2, 4] }), shape)];
  },
};

function imageOf(context: InferContext): readonly [Dimension, number, number, number] {
  const { shape } = context.input(0);
  const [n, c, h, w] = shape;
  if (shape.length !== 4 || n === undefined || typeof c !== "number" || typeof h !== "number" || typeof w !== "number") {
    return context.fail(`the input must be [batch, channels, height, width], not ${formatShape(shape)}`);
  }
  return [n, c, h, w];
}

function blockOf({ attributes, fail }: InferContext): number {
  const size = attributes.int("blocksize");
  return size >= 1 ? size : fail(`blocksize must be at least 1, not ${size}`);
}
