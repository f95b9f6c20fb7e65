import { EspalierError } from "../errors.ts";
import { graphFromJson } from "../graph/from-json.ts";
import { formatShape, type Graph } from "../graph/graph.ts";
import { sha256Hex } from "../sha256.ts";
import type { Tensor, Tensors } from "../tensor.ts";
import { manifestDigest, type Bundle } from "./bundle.ts";
import { bundleFormatVersion, type Manifest } from "./manifest.ts";
import { nestsDeeper } from "./nesting.ts";
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

/** A graph's JSON is some ten levels deep. */
const maxNesting = 64;

/**
 * Opens a bundle in either form: the manifest is read and verified, weights wait until they are asked for.
 *
 * @throws BUNDLE_INVALID when it is not a bundle, BUNDLE_VERSION for another format version, BUNDLE_CORRUPT for changed or missing bytes
 */
export async function openBundle(source: BundleSource): Promise<Bundle> {
  const fileBytes = await source.size(bundleFiles.weights);
  if (fileBytes === undefined) throw notABundle(source, `there is no ${bundleFiles.weights}; a bundle is what "espalier train" writes`);
  const manifestBytes = await source.size(bundleFiles.manifest);
  const header = await openWeights(source, fileBytes, manifestBytes !== undefined);
  const manifest = verifyManifest(source, await readManifest(source, manifestBytes, header));
  verifyTensors(source, header, manifest);
  const graph = readGraph(source, manifest);
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

/** Reads the weights' header. In the folder form the manifest says that this is a bundle, in the one-file form only the header can. */
async function openWeights(source: BundleSource, fileBytes: number, hasManifest: boolean): Promise<SafetensorsHeader> {
  let isBundle = hasManifest;
  try {
    const headerBytes = readHeaderLength(await source.read(bundleFiles.weights, 0, Math.min(8, fileBytes)), fileBytes);
    const head = await source.read(bundleFiles.weights, 0, 8 + headerBytes);
    const { text, value } = parseJson(head.subarray(8));
    isBundle ||= typeof Object(Object(value)["__metadata__"])["espalier"] === "string";
    const header = readHeader(head, fileBytes);
    if (isBundle && JSON.stringify(value).padEnd(text.length) !== text)
      throw corrupt("the header was changed after it was written; copy the bundle again");
    return header;
  } catch (cause) {
    if (!(cause instanceof EspalierError) || cause.code !== "BUNDLE_CORRUPT") throw cause;
    if (!isBundle) throw notABundle(source, cause.message, cause);
    throw corrupt(`${hasManifest ? `${source.name}/${bundleFiles.weights}` : source.name}: ${cause.message}`, cause.details, cause);
  }
}

async function readManifest(source: BundleSource, size: number | undefined, header: SafetensorsHeader): Promise<unknown> {
  if (size !== undefined && size > maxManifestBytes) throw notABundle(source, `its manifest has ${size} bytes, more than ${maxManifestBytes}`);
  const inHeader = header.metadata["espalier"];
  if (size === undefined && inHeader === undefined)
    throw notABundle(source, `there is neither a ${bundleFiles.manifest} nor a manifest in the header`);
  const bytes = size === undefined ? new TextEncoder().encode(inHeader) : await source.read(bundleFiles.manifest, 0, size);
  let read: ReturnType<typeof parseJson>;
  try {
    read = parseJson(bytes);
  } catch (cause) {
    throw notABundle(source, `its manifest cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  const { text, value } = read;
  if (isOfThisVersion(source, value) && text !== (size === undefined ? JSON.stringify(value) : manifestText(value)))
    throw corrupt(`${source.name}: the manifest was changed after it was written; copy the bundle again`, { source: source.name });
  return value;
}

/** `manifest.json` as it is written, to the byte. */
export function manifestText(manifest: unknown): string {
  return `${JSON.stringify(manifest, undefined, 1)}\n`;
}

function parseJson(bytes: Uint8Array): { readonly text: string; readonly value: unknown } {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    throw corrupt("it is not JSON", {}, cause);
  }
  if (nestsDeeper(value, maxNesting)) throw corrupt(`it nests lists and objects more than ${maxNesting} deep`);
  return { text, value };
}

/** @throws BUNDLE_INVALID when it is no manifest of any version, BUNDLE_VERSION when it is one of another */
function isOfThisVersion(source: BundleSource, value: unknown): true {
  const { format, formatVersion } = Object(value) as { format?: unknown; formatVersion?: unknown }; // both are compared below
  if (format !== "espalier-bundle") throw notABundle(source, `its manifest has format ${JSON.stringify(format)}, not "espalier-bundle"`);
  if (typeof formatVersion !== "number")
    throw notABundle(source, `its manifest has formatVersion ${JSON.stringify(formatVersion)}, not a whole number`);
  if (formatVersion === bundleFormatVersion) return true;
  throw new EspalierError(
    "BUNDLE_VERSION",
    `${source.name} has bundle format ${formatVersion}, this release reads ${bundleFormatVersion}; export the model again, or use the release that wrote it`,
    { found: formatVersion, supported: bundleFormatVersion },
  );
}

function verifyManifest(source: BundleSource, value: unknown): Manifest {
  const manifest = parseManifest(value, source.name);
  const digest = manifestDigest(manifest);
  if (digest === manifest.digest) return manifest;
  throw corrupt(
    `${source.name}: the manifest was changed after it was written (digest ${digest.slice(0, 12)}..., expected ${manifest.digest.slice(0, 12)}...); copy the bundle again`,
    { source: source.name },
  );
}

function verifyTensors(source: BundleSource, header: SafetensorsHeader, manifest: Manifest): void {
  for (const [name, { dtype, shape }] of Object.entries(manifest.tensors)) {
    const location = own(header.tensors, name);
    if (location?.dtype === dtype && formatShape(location.shape) === formatShape(shape)) continue;
    throw corrupt(`${source.name}: the manifest says tensor "${name}" is ${dtype} ${formatShape(shape)}, the weights do not`, { tensor: name });
  }
  for (const name of Object.keys(header.tensors)) {
    if (own(manifest.tensors, name) === undefined)
      throw corrupt(`${source.name}: the weights hold a tensor "${name}" that the manifest does not know`, { tensor: name });
  }
}

function readGraph(source: BundleSource, manifest: Manifest): Graph {
  let graph: Graph;
  try {
    graph = graphFromJson(manifest.graph);
  } catch (cause) {
    if (!(cause instanceof EspalierError)) throw cause;
    throw notABundle(source, `its graph cannot be read: ${cause.message}`, cause);
  }
  for (const { name, dtype, shape } of graph.state) {
    const entry = own(manifest.tensors, name);
    if (entry?.dtype !== dtype || formatShape(entry.shape) !== formatShape(shape))
      throw corrupt(`${source.name}: the graph takes "${name}" as ${dtype} ${formatShape(shape)}, the bundle has no such tensor`, { tensor: name });
  }
  return graph;
}

async function readVerified(source: BundleSource, header: SafetensorsHeader, manifest: Manifest, name: string): Promise<Tensor> {
  const location = own(header.tensors, name);
  const entry = own(manifest.tensors, name);
  if (location === undefined || entry === undefined) throw new EspalierError("ARGUMENT_INVALID", `${source.name} has no tensor "${name}"`, { name });
  const bytes = await source.read(bundleFiles.weights, header.dataStart + location.start, header.dataStart + location.end);
  const sha256 = sha256Hex(bytes);
  if (bytes.length !== location.end - location.start || sha256 !== entry.sha256) {
    throw corrupt(`${source.name}: the bytes of tensor "${name}" do not match the manifest; copy the bundle again`, {
      tensor: name,
      sha256,
      expected: entry.sha256,
    });
  }
  return readTensor(location, bytes);
}

/** A name may be one that every object inherits, such as "constructor". */
function own<T>(items: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(items, name) ? items[name] : undefined;
}

function notABundle(source: BundleSource, message: string, cause?: unknown): EspalierError {
  return new EspalierError("BUNDLE_INVALID", `${source.name} is not a bundle: ${message}`, { source: source.name }, { cause });
}

function corrupt(message: string, details: EspalierError["details"] = {}, cause?: unknown): EspalierError {
  return new EspalierError("BUNDLE_CORRUPT", message, details, { cause });
}
