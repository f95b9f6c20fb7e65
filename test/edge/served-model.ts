import type { Manifest } from "../../core/index.ts";

/** A trained model in its bundle, with what training's evaluation computed for rows it never saw. Plain data: it crosses into workerd as JSON. */
export interface ServedModel {
  readonly manifest: Manifest;
  /** The bundle's one-file form, base64. */
  readonly bundle: string;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly labels: readonly number[];
  /** [rows, classes], row-major. */
  readonly probabilities: readonly number[];
}

declare module "vitest" {
  interface ProvidedContext {
    /** JSON of a `ServedModel`: global-setup.ts makes it on Node, workerd gets it over the wire. */
    servedModel: string;
  }
}
