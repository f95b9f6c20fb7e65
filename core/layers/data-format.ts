import type { Value } from "../operators/operator.ts";
import { checkChoice } from "./argument.ts";
import type { LayerContext } from "./layer.ts";

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
