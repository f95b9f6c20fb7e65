import { EspalierError } from "../errors.ts";

/** One image's sizes, channels first. */
export type ImageShape = readonly [channels: number, height: number, width: number];

/**
 * Whether a network starts as for photographs (halving twice before the first block) or as for small pictures, which would be gone by then.
 *
 * @see K. He et al., Deep residual learning for image recognition (2016), section 4.2 for the small form
 */
export type Stem = "photograph" | "small";

/** Below this the photograph's stem leaves too few places: 96 / 32 = 3 x 3 at the end. */
const smallestPhotograph = 96;

/** The stem that fits an image, when none was asked for. */
export function stemFor(shape: ImageShape): Stem {
  return Math.min(shape[1], shape[2]) < smallestPhotograph ? "small" : "photograph";
}

/** @throws ARGUMENT_INVALID unless the shape is three whole numbers from 1 */
export function checkImageShape(where: string, shape: ImageShape): void {
  if ((shape.length as number) === 3 && shape.every((size) => Number.isSafeInteger(size) && size >= 1)) return;
  throw new EspalierError(
    "ARGUMENT_INVALID",
    `${where}: shape must be [channels, height, width] of whole numbers from 1, not [${shape.join(", ")}]`,
    { shape },
  );
}
