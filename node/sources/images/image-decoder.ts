import { EspalierError } from "../../../core/index.ts";

/** How decoded images look: bytes, one plane a channel. */
export type ImageShape = readonly [channels: number, height: number, width: number];

/** What an image's header tells. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  /** Stored without colour. */
  readonly gray: boolean;
}

/** Decodes images of files. */
export interface ImageDecoder {
  /** Reads the header only. @throws DATA_MALFORMED naming the path */
  readHeader(path: string): Promise<ImageHeader>;
  /**
   * The whole image at a size: turned upright as its EXIF data says, transparent places white, resized to cover the shape and cut at the longer sides.
   *
   * @returns [channels, height, width], row-major
   * @throws DATA_MALFORMED naming the path
   */
  decode(path: string, shape: ImageShape): Promise<Uint8Array>;
}

/**
 * A decoder of PNG, JPEG and WebP files on the optional package `sharp`.
 *
 * @throws FILE_UNREADABLE saying what to install
 */
export async function openImageDecoder(): Promise<ImageDecoder> {
  const { default: sharp } = await import("sharp").catch((cause: unknown) => {
    throw new EspalierError(
      "FILE_UNREADABLE",
      "reading images needs the package sharp, which is not installed here: npm install sharp",
      {},
      { cause },
    );
  });
  // Many small images at once, each on one thread, and none kept: memory stays that of the images under way.
  sharp.concurrency(1);
  sharp.cache(false);
  return {
    async readHeader(path) {
      const { width, height, space, autoOrient } = await sharp(path).metadata().catch(broken(path));
      return { width: autoOrient.width ?? width, height: autoOrient.height ?? height, gray: space === "b-w" || space === "grey16" };
    },
    async decode(path, [channels, height, width]) {
      const image = sharp(path, { failOn: "error" }).rotate().flatten({ background: "white" }).resize(width, height, { fit: "cover" });
      const { data, info } = await image
        .toColourspace(channels === 1 ? "b-w" : "srgb")
        .raw({ depth: "uchar" })
        .toBuffer({ resolveWithObject: true })
        .catch(broken(path));
      return toPlanes(data, { from: info.channels, to: channels, size: height * width });
    },
  };
}

function broken(path: string): (cause: unknown) => never {
  return (cause) => {
    const reason = cause instanceof Error ? cause.message.split("\n")[0]?.replace(/[:\s]+$/, "") : String(cause);
    throw new EspalierError("DATA_MALFORMED", `${path} cannot be decoded: ${reason}`, { path }, { cause });
  };
}

/** [height, width, from] as [to, height, width]; one channel is repeated when more are wanted. */
function toPlanes(pixels: Uint8Array, { from, to, size }: { readonly from: number; readonly to: number; readonly size: number }): Uint8Array {
  const planes = new Uint8Array(to * size);
  for (let channel = 0; channel < to; channel++) {
    const source = Math.min(channel, from - 1);
    for (let i = 0; i < size; i++) planes[channel * size + i] = pixels[i * from + source]!; // i counts pixels
  }
  return planes;
}
