import type { DType } from "../tensor.ts";
import type { SeriesSpec } from "../data/series.ts";
import type { FittedFeatures, FittedTarget } from "../features/features.ts";

/** The version of the format that this release writes and reads. */
export const bundleFormatVersion = 1;

/** One raw column that a prediction needs. */
export interface InputField {
  readonly name: string;
  /** `number` and `string` columns have one value a row; a `tensor` has `shape` values a row. */
  readonly kind: "number" | "string" | "tensor";
  /** The shape of one row: [] for number and string. */
  readonly shape: readonly number[];
  /** Whether a row may leave it out (or send null): training rows did. */
  readonly optional: boolean;
  /** Values seen in training, for forms and examples: the most frequent categories, or the range. */
  readonly categories?: readonly string[];
  readonly range?: readonly [minimum: number, maximum: number];
}

/** How one tensor of `model.safetensors` must look. */
export interface TensorEntry {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** SHA-256 of the tensor's bytes, lower-case hexadecimal. */
  readonly sha256: string;
}

/** `manifest.json`: everything about a model but its weights. Plain data; nothing in it is executed. */
export interface Manifest {
  readonly format: "espalier-bundle";
  readonly formatVersion: number;
  readonly name: string;
  /** The first 16 hexadecimal digits of the hash over graph, features, target and tensors: two bundles of one version predict the same. */
  readonly version: string;
  readonly createdAt: string;
  readonly model: Readonly<Record<string, unknown>>;
  /** The forward graph in the form of `graphToJson`. Output `logits` [batch, classes] for classification, `prediction` [batch, 1] (standardised) for regression. */
  readonly graph: unknown;
  readonly features: FittedFeatures;
  readonly target: FittedTarget;
  readonly inputs: readonly InputField[];
  /** Of a forecast: how a table becomes windows. An input is the last `window` values of its column. */
  readonly series?: SeriesSpec;
  /** One raw row by column, as a prediction request would send it. */
  readonly example: Readonly<Record<string, unknown>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly lineage: {
    readonly run?: string;
    readonly seed: number;
    /** The bundle whose body was learned on with. */
    readonly from?: { readonly name: string; readonly version: string };
    readonly data: { readonly fingerprint: string; readonly rows: number; readonly source: string };
  };
  readonly environment: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, TensorEntry>>;
  /** SHA-256 of the manifest's canonical JSON without this field: a changed byte anywhere in a bundle is found. */
  readonly digest: string;
}
