import { EspalierError } from "../errors.ts";
import { deriveSeed, Random } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import type { FeedSource, Pass } from "./feed-batches.ts";

/** How training images are varied. Everything left out does nothing. */
export interface ImageAugmentation {
  /** Every second image is mirrored. Default false: digits and text must not be. */
  readonly horizontalFlip?: boolean;
  /** Moved by up to this share of height and width, 0 to 0.5: the random crop out of a padded image. Default 0. */
  readonly shift?: number;
  /** Turned by up to so many degrees either way, 0 to 45. Default 0. */
  readonly rotation?: number;
  /** Enlarged or shrunk by up to this share, 0 to 0.5; height and width by the same. Default 0. */
  readonly zoom?: number;
  /** Slanted by up to this share, 0 to 0.5: the upper rows move to one side, the lower ones to the other, as handwriting does. Default 0. */
  readonly shear?: number;
  /** What is seen beyond the border: 0, or the pixels at it. Default "zero". */
  readonly fill?: "zero" | "edge";
}

/**
 * Training images varied: the same feeds, with one input's images mirrored, moved, turned or resized.
 *
 * What happens to an image is a function of seed, epoch and row, not of the order in which batches are made: a resumed run sees the same images. Feeds without a pass
 * (validation, evaluation) are left as they are.
 *
 * @param options.input the name of a float32 input [batch, channels, height, width]
 * @throws ARGUMENT_INVALID for a number out of range; TENSOR_INVALID when the input is not such images
 */
export function augmentedFeeds(source: FeedSource, { input, ...augmentation }: ImageAugmentation & { readonly input: string }): FeedSource {
  checkAugmentation(augmentation);
  return {
    rows: source.rows,
    async feedsAt(indices, pass) {
      const feeds = await source.feedsAt(indices, pass);
      if (pass === undefined) return feeds;
      const images = feeds[input];
      if (images === undefined) throw new EspalierError("TENSOR_INVALID", `augmentedFeeds: there is no input "${input}"`, { input });
      return { ...feeds, [input]: augmentImages(images, { ...augmentation, rows: indices, pass }) };
    },
  };
}

/** Which images are varied, and how. */
export interface AugmentImagesOptions extends ImageAugmentation {
  /** One number an image: what its randomness is derived from. */
  readonly rows: ArrayLike<number>;
  readonly pass: Pass;
}

/**
 * Varied copies of images.
 *
 * Without rotation, zoom and shear an image moves by whole pixels; with them it is sampled bilinearly. Both are +, -, * and / only (sine and cosine are short series), so every
 * engine gives the same bits.
 *
 * @param images float32 [batch, channels, height, width]
 * @throws TENSOR_INVALID for another dtype or rank
 */
export function augmentImages(images: Tensor, { rows, pass, ...augmentation }: AugmentImagesOptions): Tensor {
  const { data, shape } = images;
  const [batch = 0, channels = 0, height = 0, width = 0] = shape;
  if (!(data instanceof Float32Array) || shape.length !== 4) {
    throw new EspalierError("TENSOR_INVALID", `images are float32 [batch, channels, height, width], not ${images.dtype} [${shape.join(", ")}]`, {
      shape,
    });
  }
  const result = new Float32Array(data.length);
  const size = channels * height * width;
  for (let i = 0; i < batch; i++) {
    const random = new Random(deriveSeed(pass.seed, "augment", pass.epoch, rows[i] ?? i));
    const sampled = drawMapping(random, augmentation, { height, width });
    const from = data.subarray(i * size, (i + 1) * size);
    const to = result.subarray(i * size, (i + 1) * size);
    for (let channel = 0; channel < channels; channel++) {
      const plane = channel * height * width;
      sample(from.subarray(plane, plane + height * width), to.subarray(plane, plane + height * width), { ...sampled, height, width });
    }
  }
  return { dtype: "float32", shape, data: result };
}

/** Where each pixel comes from: source = matrix * (place - centre) + centre + offset. */
interface Mapping {
  readonly matrix: readonly [number, number, number, number];
  readonly offset: readonly [y: number, x: number];
  readonly fill: "zero" | "edge";
}

/** Every number is drawn whether it is used or not, so that switching one thing on leaves the others as they were. */
function drawMapping(
  random: Random,
  { horizontalFlip = false, shift = 0, rotation = 0, zoom = 0, shear = 0, fill = "zero" }: ImageAugmentation,
  { height, width }: { readonly height: number; readonly width: number },
): Mapping {
  const [flip, down, right, turn, grow, slant] = Array.from({ length: 6 }, () => random.uniform(-1, 1)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]; // six draws
  const mirror = horizontalFlip && flip < 0 ? -1 : 1;
  const [sine, cosine] = sineAndCosine(turn * rotation);
  const scale = 1 / (1 + grow * zoom);
  // Whole pixels: half a pixel would only blur. Math.round of equal numbers is equal everywhere.
  const offset = [Math.round(down * shift * height), Math.round(right * shift * width)] as const;
  return { matrix: [scale * cosine, scale * -sine, mirror * scale * sine + slant * shear, mirror * scale * cosine], offset, fill };
}

interface Sampling extends Mapping {
  readonly height: number;
  readonly width: number;
}

function sample(from: Float32Array, to: Float32Array, { matrix, offset, fill, height, width }: Sampling): void {
  const [yy, yx, xy, xx] = matrix;
  const [centreY, centreX] = [(height - 1) / 2, (width - 1) / 2];
  const whole = yx === 0 && xy === 0 && yy === 1 && (xx === 1 || xx === -1);
  const at = (y: number, x: number): number => {
    const inside = y >= 0 && y < height && x >= 0 && x < width;
    if (!inside && fill === "zero") return 0;
    return from[Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))]!; // clamped into the plane
  };
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [fromY, fromX] = [row - centreY, column - centreX];
      const y = yy * fromY + yx * fromX + centreY - offset[0];
      const x = xy * fromY + xx * fromX + centreX - offset[1];
      to[row * width + column] = whole ? at(y, x) : bilinear(at, y, x);
    }
  }
}

function bilinear(at: (y: number, x: number) => number, y: number, x: number): number {
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [down, right] = [y - top, x - left];
  const upper = at(top, left) * (1 - right) + at(top, left + 1) * right;
  const lower = at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right;
  return upper * (1 - down) + lower * down;
}

/** To 1e-12 for up to 45 degrees. `Math.sin` may differ in its last bit from engine to engine. */
function sineAndCosine(degrees: number): readonly [sine: number, cosine: number] {
  const x = (degrees * Math.PI) / 180;
  const square = x * x;
  let [sine, cosine] = [1, 1];
  for (let k = 12; k >= 2; k -= 2) {
    sine = 1 - (square / (k * (k + 1))) * sine;
    cosine = 1 - (square / ((k - 1) * k)) * cosine;
  }
  return [x * sine, cosine];
}

function checkAugmentation({ shift = 0, rotation = 0, zoom = 0, shear = 0 }: ImageAugmentation): void {
  for (const [name, value, most] of [
    ["shift", shift, 0.5],
    ["rotation", rotation, 45],
    ["zoom", zoom, 0.5],
    ["shear", shear, 0.5],
  ] as const) {
    if (!(value >= 0 && value <= most))
      throw new EspalierError("ARGUMENT_INVALID", `augmentation: ${name} must be from 0 to ${most}, not ${value}`, { [name]: value });
  }
}
