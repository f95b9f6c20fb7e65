import type { Columns } from "./columns.ts";
import type { Manifest } from "./bundle/manifest.ts";

/** Answers for some rows. */
export type Predictions =
  | {
      readonly task: "classification";
      readonly classes: readonly string[];
      /** Index of the most probable class for each row. */
      readonly labels: Int32Array;
      /** [rows, classes], row-major, each row sums to 1. */
      readonly probabilities: Float32Array;
    }
  | {
      readonly task: "regression";
      /** One value a row, in the target's own unit; of a forecast [rows, horizon], row-major. */
      readonly values: Float64Array;
      /** The values of one row, when they are a forecast. */
      readonly horizon?: number;
    };

/** A model that answers: bundle, features and executable behind one call. Servers, the command line and pages hold nothing else. */
export interface Predictor {
  readonly manifest: Manifest;
  /** The backend's name, for metadata. */
  readonly backend: string;
  /**
   * @param rows raw columns: at least those of `manifest.inputs`; others are ignored
   * @throws COLUMN_MISSING, COLUMN_TYPE
   */
  predict(rows: Columns, options?: { readonly signal?: AbortSignal }): Promise<Predictions>;
  dispose(): Promise<void>;
}
