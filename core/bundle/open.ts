import { EspalierError } from "../errors.ts";
import { graphFromJson } from "../graph/from-json.ts";
import { formatShape } from "../graph/graph.ts";
import { sha256Hex } from "../sha256.ts";
import type { Tensor, Tensors } from "../tensor.ts";
import { manifestDigest, type Bundle } from "./bundle.ts";
import { bundleFormatVersion, type Manifest } from "./manifest.ts";
import { parseManifest } from "./parse-manifest.ts";
import { readHeader, readHeaderLength, readTensor, type SafetensorsHeader } from "./safetensors.ts";

/** Where a bundle's bytes come from: a folder, one file, a store's objects. Ranges are read on demand. */
export interface BundleSource {
  /** For messages. */
  readonly name: string;
  /** The size of a file in bytes, or undefined when there is none of that name. */
  size(file: string): Promise<number | undefined>;
  /** Bytes `start` to before `end`. */
  read(file: string, start: number, end: number): Promise<Uint8Array>;
}

/** The files of the folder form. The one-file form is the second alone, with the manifest in its header. */
export const bundleFiles: { readonly manifest: string; readonly weights: string } = { manifest: "manifest.json", weights: "model.safetensors" };

/** A manifest holds a graph and statistics, never data. */
const maxManifestBytes = 64 * 2 ** 20;

/**
 * Opens a bundle in either form: the manifest is read and verified, weights wait until they are asked for.
 *
 * @throws BUNDLE_INVALID when it is not a bundle, BUNDLE_VERSION for another format version, BUNDLE_CORRUPT for changed or missing bytes
 */
export async function openBundle(source: BundleSource): Promise<Bundle> {
  const fileBytes = await source.size(bundleFiles.weights);
  if (fileBytes === undefined) {
    throw new EspalierError(
      "BUNDLE_INVALID",
      `${source.name} is not a bundle: there is no ${bundleFiles.weights}; a bundle is what "espalier train" writes`,
      { source: source.name },
    );
  }
  const header = await openWeights(source, fileBytes);
  const manifest = verifyManifest(await readManifest(source, header), source.name);
  for (const [name, { dtype, shape }] of Object.entries(manifest.tensors)) {
    const location = header.tensors[name];
    if (location?.dtype !== dtype || formatShape(location.shape) !== formatShape(shape)) {
      throw new EspalierError(
        "BUNDLE_CORRUPT",
        `${source.name}: the manifest says tensor "${name}" is ${dtype} ${formatShape(shape)}, the weights do not`,
        { tensor: name },
      );
    }
  }
  const graph = graphFromJson(manifest.graph);
  for (const { name, dtype, shape } of graph.state) {
    const entry = manifest.tensors[name];
    if (entry?.dtype !== dtype || formatShape(entry.shape) !== formatShape(shape)) {
      throw new EspalierError(
        "BUNDLE_CORRUPT",
        `${source.name}: the graph takes "${name}" as ${dtype} ${formatShape(shape)}, the bundle has no such tensor`,
        { tensor: name },
      );
    }
  }
  return {
    manifest,
    graph,
    readTensors: async (names = Object.keys(manifest.tensors)) => {
      const read: Record<string, Tensor> = {};
      for (const name of names) read[name] = await readVerified(source, header, manifest, name);
      return read satisfies Tensors;
    },
  };
}

/** Opens a bundle's one-file form that is already in memory. */
export async function decodeBundle(file: Uint8Array, name = "the bundle"): Promise<Bundle> {
  return await openBundle({
    name,
    size: async (asked) => (asked === bundleFiles.weights ? file.length : undefined),
    read: async (_asked, start, end) => file.subarray(start, end),
  });
}

async function openWeights(source: BundleSource, fileBytes: number): Promise<SafetensorsHeader> {
  try {
    const headerBytes = readHeaderLength(await source.read(bundleFiles.weights, 0, Math.min(8, fileBytes)), fileBytes);
    return readHeader(await source.read(bundleFiles.weights, 0, 8 + headerBytes), fileBytes);
  } catch (cause) {
    if (!(cause instanceof EspalierError)) throw cause;
    throw new EspalierError(cause.code, `${source.name}/${bundleFiles.weights}: ${cause.message}`, cause.details, { cause });
  }
}

async function readManifest(source: BundleSource, header: SafetensorsHeader): Promise<unknown> {
  const size = await source.size(bundleFiles.manifest);
  const refuse = (message: string, cause?: unknown): never => {
    throw new EspalierError("BUNDLE_INVALID", `${source.name} is not a bundle: ${message}`, { source: source.name }, { cause });
  };
  if (size !== undefined && size > maxManifestBytes) refuse(`its manifest has ${size} bytes, more than ${maxManifestBytes}`);
  const text =
    size === undefined
      ? (header.metadata["espalier"] ?? refuse(`there is neither a ${bundleFiles.manifest} nor a manifest in the header`))
      : new TextDecoder().decode(await source.read(bundleFiles.manifest, 0, size));
  try {
    return JSON.parse(text);
  } catch (cause) {
    return refuse(`its manifest is not JSON (${cause instanceof Error ? cause.message : String(cause)})`, cause);
  }
}

function verifyManifest(value: unknown, source: string): Manifest {
  const { format, formatVersion } = Object(value) as { format?: unknown; formatVersion?: unknown }; // both are compared below
  if (format !== "espalier-bundle")
    throw new EspalierError("BUNDLE_INVALID", `${source} is not a bundle: its manifest has format ${JSON.stringify(format)}, not "espalier-bundle"`, {
      source,
    });
  if (formatVersion !== bundleFormatVersion) {
    throw new EspalierError(
      "BUNDLE_VERSION",
      `${source} has bundle format ${String(formatVersion)}, this release reads ${bundleFormatVersion}; export the model again, or use the release that wrote it`,
      {
        found: formatVersion,
        supported: bundleFormatVersion,
      },
    );
  }
  const manifest = parseManifest(value, source);
  const digest = manifestDigest(manifest);
  if (digest !== manifest.digest) {
    throw new EspalierError(
      "BUNDLE_CORRUPT",
      `${source}: the manifest was changed after it was written (digest ${digest.slice(0, 12)}..., expected ${manifest.digest.slice(0, 12)}...); copy the bundle again`,
      { source },
    );
  }
  return manifest;
}

async function readVerified(source: BundleSource, header: SafetensorsHeader, manifest: Manifest, name: string): Promise<Tensor> {
  const location = header.tensors[name];
  const entry = manifest.tensors[name];
  if (location === undefined || entry === undefined) throw new EspalierError("ARGUMENT_INVALID", `${source.name} has no tensor "${name}"`, { name });
  const bytes = await source.read(bundleFiles.weights, header.dataStart + location.start, header.dataStart + location.end);
  const sha256 = sha256Hex(bytes);
  if (bytes.length !== location.end - location.start || sha256 !== entry.sha256) {
    throw new EspalierError("BUNDLE_CORRUPT", `${source.name}: the bytes of tensor "${name}" do not match the manifest; copy the bundle again`, {
      tensor: name,
      sha256,
      expected: entry.sha256,
    });
  }
  return readTensor(location, bytes);
}
