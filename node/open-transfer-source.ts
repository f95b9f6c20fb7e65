import { EspalierError, type TransferSource } from "../core/index.ts";
import { loadBundle } from "./bundle/bundle-files.ts";
import type { ReadingOptions } from "./sources/open-files.ts";

/** Which bundle is learned on with, and how: plain JSON, kept in run records. */
export interface TransferSettings extends Pick<TransferSource, "freeze" | "bodyRate"> {
  readonly bundle: string;
  /** Refuses a bundle of another version: that of an earlier run. */
  readonly version?: string;
}

/** A bundle as a body to learn on with. */
export interface OpenedTransferSource {
  readonly source: TransferSource;
  /** The name that the bundle has in itself. */
  readonly bundleName: string;
  readonly version: string;
  /** How files must be read to be what the body reads. */
  readonly reading: Pick<ReadingOptions, "asText" | "imageShape">;
}

/**
 * Opens a bundle to learn on with its body.
 *
 * @throws what `loadBundle` throws; ARGUMENT_INVALID when its version is another one than was asked for
 */
export async function openTransferSource({ bundle: path, version, ...settings }: TransferSettings): Promise<OpenedTransferSource> {
  const bundle = await loadBundle(path);
  const { manifest, graph } = bundle;
  if (version !== undefined && version !== manifest.version) {
    throw new EspalierError("ARGUMENT_INVALID", `${path} has changed since that run: it has version ${manifest.version}, not ${version}`, {
      bundle: path,
      version: manifest.version,
    });
  }
  const { features, inputs, model: config } = manifest;
  const image = features.features.find(({ kind }) => kind === "image");
  return {
    source: { name: path, model: { graph, state: await bundle.readTensors(), config }, features, ...settings },
    bundleName: manifest.name,
    version: manifest.version,
    reading: {
      asText: inputs.filter(({ kind }) => kind === "string").map(({ name }) => name),
      ...(image?.kind === "image" && { imageShape: image.shape }),
    },
  };
}

/**
 * How files are read so that they are what the body reads, and what a person said besides.
 *
 * @throws ARGUMENT_INVALID for a size of images: the body has its own
 */
export function readingFor({ source, reading: { asText = [], ...images } }: OpenedTransferSource, asked: ReadingOptions): ReadingOptions {
  if (asked.imageSize !== undefined) {
    const shape = images.imageShape === undefined ? "none" : `[${images.imageShape.join(", ")}]`;
    throw new EspalierError("ARGUMENT_INVALID", `${source.name} reads images of its own shape, ${shape}; leave the size of images out`, {
      imageSize: asked.imageSize,
    });
  }
  return { ...asked, ...images, asText: [...(asked.asText ?? []), ...asText] };
}

/** What becomes of the body, for a person. */
export function transferNote({ source: { name, freeze = false, bodyRate }, version }: OpenedTransferSource): string {
  const rate = bodyRate === undefined ? "the rate" : `${bodyRate} times the rate`;
  const how = freeze ? "stays as it is" : `learns on at ${rate} of the new last layer`;
  return `the body of ${name} (version ${version}) ${how}; its features are used as they are`;
}

/** What is thrown on when opening the data failed: of a column that is missing, who needs it. */
export function missingFor({ source: { name } }: OpenedTransferSource): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof EspalierError) || error.code !== "COLUMN_MISSING") throw error;
    throw new EspalierError(error.code, `${error.message} (${name}, which is learned on with, reads it)`, error.details, { cause: error });
  };
}
