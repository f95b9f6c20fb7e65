import { readAttributes } from "../operators/attributes.ts";
import { findOperator } from "../operators/index.ts";
import type { Value } from "../operators/operator.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Node, ValueName } from "./graph.ts";

/** What the rule sees of the graph that is being written. */
interface PaddedConvContext {
  readonly builder: GraphBuilder;
  readonly producer: (name: ValueName) => Node | undefined;
}

/**
 * A Conv of zeros put around an image is a Conv with pads: how Keras's ZeroPadding2D before a convolution is written.
 *
 * @returns undefined where the input is no such Pad, or the pads of both do not add up
 */
export function paddedConv({ builder, producer }: PaddedConvContext, node: Node): Value | undefined {
  const pad = producer(node.inputs[0] ?? "");
  const operator = findOperator("Conv");
  if (pad?.operator !== "Pad" || operator === undefined || !padsWithZeros(builder, pad)) return undefined;
  const image = builder.value(pad.inputs[0] ?? "");
  const around = padsOf(builder, pad, image.shape.length);
  const [outer, spatial] = [around?.filter(([axis]) => axis < 2), around?.filter(([axis]) => axis >= 2)];
  if (spatial === undefined || outer?.some(([, begin, end]) => begin !== 0 || end !== 0) !== false) return undefined;
  if (spatial.some(([, begin, end]) => begin < 0 || end < 0)) return undefined;
  const attributes = readAttributes(operator, node.name, node.attributes);
  const rank = image.shape.length - 2;
  const own = attributes.has("pads") ? attributes.ints("pads") : Array.from({ length: 2 * rank }, () => 0);
  const autoPad = attributes.string("auto_pad");
  if (autoPad !== "NOTSET" && autoPad !== "VALID") return undefined;
  const pads = own.map((size, i) => {
    const [, begin = 0, end = 0] = spatial.find(([axis]) => axis === 2 + (i % rank)) ?? [];
    return (autoPad === "VALID" ? 0 : size) + (i < rank ? begin : end);
  });
  const { auto_pad: _, ...others } = node.attributes;
  return builder.op("Conv", [image, ...node.inputs.slice(1).map((name) => (name === "" ? undefined : builder.value(name)))], { ...others, pads });
}

function padsWithZeros(builder: GraphBuilder, pad: Node): boolean {
  const mode = pad.attributes["mode"] ?? "constant";
  const value = pad.inputs[2] ?? "";
  return mode === "constant" && (value === "" || Number(builder.constantOf(value)?.data[0] ?? NaN) === 0);
}

/** The pads of each axis that has some, when they are known. */
function padsOf(builder: GraphBuilder, pad: Node, rank: number): readonly (readonly [axis: number, begin: number, end: number])[] | undefined {
  const sizes = numbersOf(builder, pad.inputs[1]);
  const axes = pad.inputs[3] === undefined || pad.inputs[3] === "" ? Array.from({ length: rank }, (_, i) => i) : numbersOf(builder, pad.inputs[3]);
  return sizes && axes?.map((axis, i) => [axis < 0 ? axis + rank : axis, sizes[i] ?? 0, sizes[i + axes.length] ?? 0] as const);
}

function numbersOf(builder: GraphBuilder, name: ValueName = ""): readonly number[] | undefined {
  const values = builder.dimensionsOf(name)?.flatMap((size) => (typeof size === "number" ? [size] : []));
  return values?.length === builder.dimensionsOf(name)?.length ? values : undefined;
}
