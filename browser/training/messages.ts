import type { Columns, ErrorCode, FeatureSpec, ImageAugmentation, Predictions, TrainingEvent } from "../../core/index.ts";

/** What a training worker trains, on what. Plain data: it crosses to the worker as it is. */
export interface TrainingRequest {
  /** The model's name: letters, digits, ".", "_" and "-". */
  readonly name: string;
  readonly table: Columns;
  /** The column with the classes. */
  readonly target: string;
  readonly features: readonly FeatureSpec[];
  /** A convolutional network takes one image feature; a dense one takes number and category features. */
  readonly model: { readonly kind: "conv-net"; readonly filters?: readonly number[] } | { readonly kind: "mlp"; readonly hidden?: readonly number[] };
  /** How the images of a conv-net are varied in training; as they are without it. */
  readonly augmentation?: ImageAugmentation;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly seed: number;
  /** Where the data comes from, for the bundle's lineage. */
  readonly source: { readonly name: string; readonly fingerprint: string };
  /** "auto", or the name of the only backend that will do. */
  readonly backend: string;
}

/** A classifier's answers for some rows. */
export type Answers = Extract<Predictions, { task: "classification" }>;

/** The held-out rows and what the model makes of them. */
export interface HeldOut {
  /** The rows of the request's table that were held out. */
  readonly rows: Uint32Array;
  /** The true class of each, an index into the classes. */
  readonly truth: Int32Array;
  readonly answers: Answers;
  /** `accuracy`, `logLoss` and others. */
  readonly metrics: Readonly<Record<string, number>>;
  /** After so many epochs. */
  readonly epoch: number;
}

/** What a page tells its training worker. Calls with an `id` are answered with the same one. */
export type ToTrainer =
  | { readonly kind: "start"; readonly request: TrainingRequest }
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  | { readonly kind: "stop" }
  | { readonly kind: "predict"; readonly id: number; readonly rows: Columns }
  | { readonly kind: "bundle"; readonly id: number };

/** What a training worker tells its page. */
export type FromTrainer =
  | { readonly kind: "backend"; readonly name: string; readonly device: string; readonly reason: string }
  | { readonly kind: "event"; readonly event: TrainingEvent }
  | { readonly kind: "held-out"; readonly heldOut: HeldOut }
  | { readonly kind: "finished"; readonly heldOut: HeldOut; readonly stopped: boolean }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Answers | Uint8Array<ArrayBuffer> }
  | { readonly kind: "refused"; readonly id: number; readonly code: ErrorCode; readonly message: string };
