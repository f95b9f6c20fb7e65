/**
 * How one raw column (or one tensor column) becomes numbers. Declarative: JSON, no code.
 * - `number`: standardised to mean 0 and variance 1 over the training rows, missing values become 0 with an indicator beside them if any row missed one.
 * - `category`: one-hot over the vocabulary seen in training, with one place for unknown and one for missing.
 * - `date`: times written from year to second, as days standardised, and one place for each month, day of the week and hour that there was; see date.ts.
 * - `image`: values times `scale`, as [channels, height, width].
 * - `text`: free text as tokens of a byte-pair vocabulary learned from the training rows, int32 [maxLength], cut or filled up with 0.
 *
 * Forecasts have a kind of their own among the fitted ones, `series`: the last `window` values of a column, standardised (see core/pipeline/prepare-series.ts).
 */
export type FeatureSpec =
  | { readonly kind: "number"; readonly column: string }
  | { readonly kind: "category"; readonly column: string; readonly maxVocabulary?: number }
  | { readonly kind: "date"; readonly column: string }
  | {
      readonly kind: "text";
      readonly column: string;
      /** Tokens at most, the 258 of padding, start and bytes included. */
      readonly maxVocabulary?: number;
      /** Tokens of a row at most; by default nearly all rows are whole. */
      readonly maxLength?: number;
    }
  | {
      readonly kind: "image";
      readonly column: string;
      readonly shape: readonly [channels: number, height: number, width: number];
      readonly scale: number;
    };

/** What training data taught about one feature: plain JSON, travels in the bundle. */
export type FittedFeature =
  | { readonly kind: "number"; readonly column: string; readonly mean: number; readonly standardDeviation: number; readonly missing: boolean }
  | { readonly kind: "category"; readonly column: string; readonly vocabulary: readonly string[] }
  | {
      readonly kind: "date";
      readonly column: string;
      /** Of the days since 1970. */
      readonly mean: number;
      readonly standardDeviation: number;
      readonly missing: boolean;
      /** What differs between the training rows: one place for each value. */
      readonly parts: readonly ("month" | "weekday" | "hour")[];
    }
  | {
      readonly kind: "text";
      readonly column: string;
      /** Pairs of tokens, flat: each becomes a token of its own, in order (see core/features/byte-pair). */
      readonly merges: readonly number[];
      readonly maxLength: number;
    }
  | {
      readonly kind: "series";
      readonly column: string;
      /** Rows that are looked back. */
      readonly window: number;
      readonly mean: number;
      readonly standardDeviation: number;
    }
  | {
      readonly kind: "image";
      readonly column: string;
      readonly shape: readonly [channels: number, height: number, width: number];
      readonly scale: number;
    };

/** How a target column becomes labels, and a prediction an answer. */
export type FittedTarget =
  | {
      readonly task: "classification";
      readonly column: string;
      /** Class names in label order. */ readonly classes: readonly string[];
      /** Whether the raw column held numbers. */ readonly numeric: boolean;
    }
  | {
      readonly task: "regression";
      readonly column: string;
      readonly mean: number;
      readonly standardDeviation: number;
      /** A forecast: so many values a row, those that come next. Absent: one value. */
      readonly horizon?: number;
    };

/**
 * Fitted features: from raw columns to the graph's input tensors. Number, category and date features are concatenated into one input
 * `features` float32 [batch, width]; each image and text feature is an input of its own, named after its column; series features are one input `series` float32 [batch, window, columns].
 */
export interface FittedFeatures {
  readonly features: readonly FittedFeature[];
}
