import type { Column, Columns } from "../columns.ts";
import { EspalierError } from "../errors.ts";
import { maxFloat32 } from "../float32.ts";
import { suggestNames } from "../nearest.ts";
import type { Tensor, Tensors } from "../tensor.ts";
import { createTokenizer, type Tokenizer } from "./byte-pair/index.ts";
import { dateWidth, writeDates, type Place } from "./date.ts";
import type { FittedFeature, FittedFeatures } from "./features.ts";

/** The graph input that number, category and date features share. */
export const featuresInput = "features";

/** The graph input that series features share. */
export const seriesInput = "series";

/** How many numbers a row of the input `features` has; 0 when all features are images or texts. */
export function featureWidth(fitted: FittedFeatures): number {
  return fitted.features.reduce((width, feature) => width + widthOf(feature), 0);
}

/**
 * The graph's input tensors for some rows: `features` float32 [rows, width], one float32 [rows, channels, height, width] an image, one int32 [rows, maxLength] a text, and `series` float32 [rows, window, columns].
 *
 * Pure, and built of IEEE 754 operations that every engine rounds alike (-, / in float64, then one rounding to float32): the same bits on
 * Node, in a page and on an edge worker.
 *
 * @param columns at least the features' columns; others are ignored
 * @throws COLUMN_MISSING with the nearest names; COLUMN_TYPE with column and row
 */
export function transformFeatures(fitted: FittedFeatures, columns: Columns): Tensors {
  const rows = columns.length;
  const width = featureWidth(fitted);
  const table = new Float32Array(rows * width);
  const tensors: Record<string, Tensor> = {};
  const windows: SeriesValues[] = [];
  let offset = 0;
  for (const feature of fitted.features) {
    const column = requireColumn(columns, feature.column);
    if (feature.kind === "image") tensors[feature.column] = imageTensor(feature, column, rows);
    else if (feature.kind === "text") tensors[feature.column] = textTensor(feature, column, rows);
    else if (feature.kind === "series") windows.push({ feature, values: windowValues(feature, column, rows) });
    else if (feature.kind === "number") writeNumbers(feature, column, { table, width, offset });
    else if (feature.kind === "date") writeDates(feature, column, { table, width, offset });
    else writeCategories(feature, column, { table, width, offset });
    offset += widthOf(feature);
  }
  if (windows.length > 0) tensors[seriesInput] = seriesTensor(windows, rows);
  return width > 0 ? { [featuresInput]: { dtype: "float32", shape: [rows, width], data: table }, ...tensors } : tensors;
}

/**
 * A column by name.
 *
 * @throws COLUMN_MISSING with the nearest names
 */
export function requireColumn(columns: Columns, name: string): Column {
  const column = columns.columns.get(name);
  if (column !== undefined) return column;
  throw new EspalierError("COLUMN_MISSING", `no column "${name}"${suggestNames(name, columns.columns.keys())}`, { column: name });
}

/** How many numbers of the input `features` one feature has. */
export function widthOf(feature: FittedFeature): number {
  switch (feature.kind) {
    case "number":
      return feature.missing ? 2 : 1;
    case "category":
      return feature.vocabulary.length + 2;
    case "date":
      return dateWidth(feature);
    case "image":
    case "text":
    case "series":
      return 0;
    default:
      return feature satisfies never;
  }
}

function writeNumbers(feature: Extract<FittedFeature, { kind: "number" }>, column: Column, { table, width, offset }: Place): void {
  const values = numbersOf(column, feature.column);
  const { mean, standardDeviation } = feature;
  for (let row = 0, at = offset; row < values.length; row++, at += width) {
    const value = values[row]!; // row is below the length
    if (Number.isNaN(value)) {
      if (feature.missing) table[at + 1] = 1;
      continue;
    }
    const standardised = (value - mean) / standardDeviation;
    if (Math.abs(standardised) > maxFloat32) throw tooFar(feature, row, value);
    table[at] = standardised;
  }
}

/** What float32 does not hold would be an infinity there, and spoil the whole prediction. */
function tooFar({ column, mean }: { readonly column: string; readonly mean: number }, row: number, value: number): EspalierError {
  return typeError(column, row, `holds ${value}, too far from the training rows' mean ${mean} to be computed with; correct or empty it`);
}

/** Numbers as they are; strings are read as numbers, as a column of a later file may be all missing or was declared as text. */
function numbersOf(column: Column, name: string): Float64Array {
  if (column.kind === "number") {
    const bad = column.values.findIndex((value) => value === Infinity || value === -Infinity);
    if (bad >= 0) throw typeError(name, bad, `holds ${column.values[bad]}, not a finite number`);
    return column.values;
  }
  if (column.kind === "tensor") throw typeError(name, 0, "holds tensors, not numbers");
  const byCode = column.dictionary.map((text) => (text.trim() === "" ? NaN : Number(text)));
  return Float64Array.from(column.codes, (code, row) => {
    if (code < 0) return NaN;
    const value = byCode[code]!; // a code is an index into its dictionary
    if (!Number.isFinite(value)) throw typeError(name, row, `holds ${JSON.stringify(column.dictionary[code])}, not a number`);
    return value;
  });
}

function writeCategories(feature: Extract<FittedFeature, { kind: "category" }>, column: Column, { table, width, offset }: Place): void {
  const places = new Map(feature.vocabulary.map((value, place) => [value, place]));
  const unknown = feature.vocabulary.length;
  const missing = unknown + 1;
  if (column.kind === "tensor") throw typeError(feature.column, 0, "holds tensors, not text");
  if (column.kind === "number") {
    // A column of text that happens to hold digits only (a file of few rows) comes as numbers.
    for (const [row, value] of column.values.entries()) {
      const place = Number.isNaN(value) ? missing : (places.get(String(value)) ?? unknown);
      table[row * width + offset + place] = 1;
    }
    return;
  }
  const byCode = column.dictionary.map((value) => places.get(value) ?? unknown);
  for (const [row, code] of column.codes.entries()) table[row * width + offset + (code < 0 ? missing : byCode[code]!)] = 1;
}

function imageTensor(feature: Extract<FittedFeature, { kind: "image" }>, column: Column, rows: number): Tensor {
  const size = feature.shape.reduce((product, n) => product * n, 1);
  if (column.kind !== "tensor" || column.values.length !== rows * size) {
    const found = column.kind === "tensor" ? `tensors of shape [${column.shape.join(", ")}]` : `${column.kind}s`;
    throw typeError(feature.column, 0, `holds ${found}, not images of shape [${feature.shape.join(", ")}]`);
  }
  const data = new Float32Array(rows * size);
  for (let i = 0; i < data.length; i++) data[i] = column.values[i]! * feature.scale; // lengths were compared
  return { dtype: "float32", shape: [rows, ...feature.shape], data };
}

/** One column's windows, [rows, window] row-major. */
interface SeriesValues {
  readonly feature: Extract<FittedFeature, { kind: "series" }>;
  readonly values: ArrayLike<number>;
}

function windowValues(feature: SeriesValues["feature"], column: Column, rows: number): ArrayLike<number> {
  if (column.kind === "tensor" && column.values.length === rows * feature.window) return column.values;
  const found = column.kind === "tensor" ? `tensors of shape [${column.shape.join(", ")}]` : `${column.kind}s`;
  throw typeError(feature.column, 0, `holds ${found}, not the last ${feature.window} values of a series`);
}

/** Columns side by side at each time: [rows, window, columns]. */
function seriesTensor(columns: readonly SeriesValues[], rows: number): Tensor {
  const window = columns[0]?.feature.window ?? 0;
  const data = new Float32Array(rows * window * columns.length);
  for (const [place, { feature, values }] of columns.entries()) {
    const { mean, standardDeviation } = feature;
    for (let i = 0; i < rows * window; i++) {
      const value = values[i]!; // lengths were compared
      const standardised = (value - mean) / standardDeviation;
      if (Math.abs(standardised) > maxFloat32) throw tooFar(feature, Math.floor(i / window), value);
      data[i * columns.length + place] = standardised;
    }
  }
  return { dtype: "float32", shape: [rows, window, columns.length], data };
}

/** Tokenizers of features: a server transforms one row at a time, and ranking thousands of merges takes longer than the row. */
const tokenizers = new WeakMap<FittedFeature, Tokenizer>();

function textTensor(feature: Extract<FittedFeature, { kind: "text" }>, column: Column, rows: number): Tensor {
  const tokenizer = tokenizers.get(feature) ?? createTokenizer(feature.merges);
  tokenizers.set(feature, tokenizer);
  if (column.kind === "tensor") throw typeError(feature.column, 0, "holds tensors, not text");
  const encode = (text: string): number[] => tokenizer.encode(text).slice(0, feature.maxLength);
  const nothing = encode("");
  const byCode = column.kind === "string" ? column.dictionary.map(encode) : [];
  const data = new Int32Array(rows * feature.maxLength);
  for (let row = 0; row < rows; row++) {
    const tokens = column.kind === "string" ? byCode[column.codes[row]!] : encodeNumber(column.values[row]!, encode); // row is below the length
    data.set(tokens ?? nothing, row * feature.maxLength);
  }
  return { dtype: "int32", shape: [rows, feature.maxLength], data };
}

/** A column of text that happens to hold digits only comes as numbers. */
function encodeNumber(value: number, encode: (text: string) => number[]): number[] | undefined {
  return Number.isNaN(value) ? undefined : encode(String(value));
}

function typeError(column: string, row: number, problem: string): EspalierError {
  return new EspalierError("COLUMN_TYPE", `column "${column}", row ${row + 1}: ${problem}`, { column, row: row + 1 });
}
