import type { Value } from "../operators/operator.ts";
import { activate, isOfLastAxis, type ActivationName } from "./activation.ts";
import { checkChoice } from "../nearest.ts";
import type { LayerContext } from "./layer.ts";
import { axisSecond } from "./move-axis.ts";

/** Where the channels are: before the spatial axes, which is the default everywhere, or after them, as in [batch, steps, features]. */
export type DataFormat = "channels_first" | "channels_last";

/** @throws ARGUMENT_INVALID with the nearest */
export function checkDataFormat(where: string, dataFormat: DataFormat): DataFormat {
  return checkChoice(where, "dataFormat", dataFormat, ["channels_first", "channels_last"]);
}

/** The spatial axes of [batch, channels, ...spatial] or [batch, ...spatial, channels]; refuses another number of them. */
export function spatialAxes(
  x: Value,
  { axes, dataFormat }: { readonly axes: number; readonly dataFormat: DataFormat },
  fail: LayerContext["fail"],
): readonly number[] {
  if (x.shape.length !== axes + 2) {
    const spatial = ["steps", "height, width", "depth, height, width"][axes - 1] ?? `${axes} axes`;
    return fail(`takes ${dataFormat === "channels_first" ? `[batch, channels, ${spatial}]` : `[batch, ${spatial}, channels]`}`);
  }
  return Array.from({ length: axes }, (_, i) => i + (dataFormat === "channels_first" ? 2 : 1));
}

/** What a layer works on. */
export interface ChannelsFirstOptions {
  /** How many spatial axes there are. */
  readonly axes: number;
  /** Of the input and the result. */
  readonly dataFormat: DataFormat;
  /** Applied to the result. Default linear. */
  readonly activation?: ActivationName;
}

/** Applies what takes and gives channels-first values: those that are channels-last are turned round before it and back after it. */
export function channelsFirst(
  { emit, fail }: Pick<LayerContext, "emit" | "fail">,
  x: Value,
  { axes, dataFormat, activation = "linear" }: ChannelsFirstOptions,
  apply: (turned: Value) => Value,
): Value {
  if (dataFormat === "channels_first") return activate(emit, activation, apply(x));
  spatialAxes(x, { axes, dataFormat }, fail);
  // What works on each element comes before the turn back, which then meets the next layer's turn and cancels with it.
  if (isOfLastAxis(activation)) return activate(emit, activation, axisSecond(emit, x, -1, apply));
  return axisSecond(emit, x, -1, (turned) => activate(emit, activation, apply(turned)));
}
