/** How a model's images look. */
export interface PictureStyle {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** The value of a full pixel; an empty one is 0. */
  readonly full: number;
}

/**
 * A picture as a model sees it: resized to cover the model's shape, cut at the longer sides, transparent places white; as `espalier train` reads a folder of them.
 *
 * @param canvas drawn on, and left with the picture on it
 * @returns [channels, height, width], plane by plane, from 0 to `full`; one channel is the luminance
 */
export function picturePixels(picture: ImageBitmap, canvas: HTMLCanvasElement, { channels, height, width, full }: PictureStyle): Float32Array {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("this browser gives no 2D canvas");
  const scale = Math.max(width / picture.width, height / picture.height);
  const [drawnWidth, drawnHeight] = [picture.width * scale, picture.height * scale];
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, (width - drawnWidth) / 2, (height - drawnHeight) / 2, drawnWidth, drawnHeight);
  return planes(context.getImageData(0, 0, width, height).data, { channels, height, width, full });
}

/** RGBA bytes, pixel by pixel, as planes. */
export function planes(rgba: ArrayLike<number>, { channels, height, width, full }: PictureStyle): Float32Array {
  const size = height * width;
  const values = new Float32Array(channels * size);
  const at = (pixel: number, channel: number): number => rgba[pixel * 4 + channel] ?? 0;
  for (let pixel = 0; pixel < size; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      // Luminance by the weights of ITU-R BT.709.
      const value = channels === 1 ? 0.2126 * at(pixel, 0) + 0.7152 * at(pixel, 1) + 0.0722 * at(pixel, 2) : at(pixel, channel);
      values[channel * size + pixel] = (value * full) / 255;
    }
  }
  return values;
}

/** [channels, height, width] as JSON writes it; bytes stay whole numbers. */
export function nested(values: Float32Array, { channels, height, width }: Omit<PictureStyle, "full">): number[][][] {
  const line = (channel: number, y: number): number[] =>
    Array.from(values.subarray((channel * height + y) * width, (channel * height + y + 1) * width));
  return Array.from({ length: channels }, (_, channel) => Array.from({ length: height }, (__, y) => line(channel, y)));
}
