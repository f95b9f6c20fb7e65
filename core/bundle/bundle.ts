import { EspalierError } from "../errors.ts";
import type { SeriesSpec } from "../data/series.ts";
import type { FittedFeatures, FittedTarget } from "../features/features.ts";
import { graphToJson } from "../graph/json.ts";
import type { Graph } from "../graph/graph.ts";
import type { Model } from "../models/model.ts";
import { sha256Hex } from "../sha256.ts";
import type { Tensors } from "../tensor.ts";
import { canonicalJson } from "./canonical-json.ts";
import { bundleFormatVersion, type InputField, type Manifest, type TensorEntry } from "./manifest.ts";
import { tensorBytes } from "./safetensors.ts";

/** A model as it travels: what `train` writes, and what servers, workers and pages open. */
export interface Bundle {
  readonly manifest: Manifest;
  readonly graph: Graph;
  /** Reads weights, all by default, and checks them against the manifest. @throws BUNDLE_CORRUPT */
  readTensors(names?: readonly string[]): Promise<Tensors>;
}

/** What a trained model becomes a bundle with. */
export interface BundleContents {
  readonly name: string;
  readonly model: Model;
  readonly features: FittedFeatures;
  readonly target: FittedTarget;
  readonly inputs: readonly InputField[];
  readonly series?: SeriesSpec;
  readonly example: Readonly<Record<string, unknown>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly lineage: Manifest["lineage"];
  readonly environment: Readonly<Record<string, string>>;
  /** ISO 8601; the caller's clock. */
  readonly createdAt: string;
}

/**
 * Makes a bundle in memory.
 *
 * @throws BUNDLE_INVALID when the name cannot stand in a URL, or the model's state does not match its graph
 */
export function createBundle(contents: BundleContents): Bundle {
  const { name, model, features, target, inputs, series, example, metrics, lineage, environment, createdAt } = contents;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name)) {
    throw new EspalierError("BUNDLE_INVALID", `a model's name is letters, digits, ".", "_" and "-" (at most 128), not "${name}"`, { name });
  }
  const tensors: Record<string, TensorEntry> = {};
  const weights: Record<string, Tensors[string]> = {};
  for (const { name: state } of model.graph.state) {
    const value = model.state[state];
    if (value === undefined) throw new EspalierError("BUNDLE_INVALID", `the model has no weights for "${state}"`, { state });
    weights[state] = value;
    tensors[state] = { dtype: value.dtype, shape: value.shape, sha256: sha256Hex(tensorBytes(value, state)) };
  }
  const graph = graphToJson(model.graph);
  const version = sha256Hex(new TextEncoder().encode(canonicalJson({ graph, features, target, tensors }))).slice(0, 16);
  const body = {
    format: "espalier-bundle",
    formatVersion: bundleFormatVersion,
    name,
    version,
    createdAt,
    model: model.config,
    graph,
    features,
    target,
    inputs,
    ...(series && { series }),
    example,
    metrics,
    lineage,
    environment,
    tensors,
  } as const;
  return { manifest: { ...body, digest: manifestDigest(body) }, graph: model.graph, readTensors: async (names) => pick(weights, names) };
}

/** The digest that a manifest must carry. */
export function manifestDigest(manifest: Omit<Manifest, "digest">): string {
  return sha256Hex(new TextEncoder().encode(canonicalJson({ ...manifest, digest: undefined })));
}

function pick(tensors: Tensors, names: readonly string[] = Object.keys(tensors)): Tensors {
  return Object.fromEntries(names.map((name) => [name, tensors[name] ?? fail(name)]));
}

function fail(name: string): never {
  throw new EspalierError("ARGUMENT_INVALID", `the bundle has no tensor "${name}"`, { name });
}
