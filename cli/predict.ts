import type { Command } from "commander";
import { formatCsv, gatherRows, selectColumns, type Column, type Columns, type Manifest, type Predictions, type SeriesSpec } from "../core/index.ts";
import { loadBundle } from "../node/bundle/bundle-files.ts";
import { openDraft } from "../node/draft-file.ts";
import { openNodePredictor } from "../node/open-predictor.ts";
import { fileColumn } from "../node/sources/images/image-inputs.ts";
import { openInputs } from "../node/sources/open-files.ts";
import { addDataOptions, type DataOptions, readingOptions } from "./data-options.ts";
import { withInterrupt } from "./interrupt.ts";
import { createOutput, type Output } from "./output.ts";

interface PredictOptions extends DataOptions {
  readonly out?: string;
  readonly backend: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `espalier predict <bundle> <data>`: a CSV of predictions, row by row. */
export function addPredict(program: Command): void {
  const command = program
    .command("predict")
    .description("predict the rows of a data file, or images, as CSV")
    .argument("<bundle>", "what espalier train wrote")
    .argument(
      "<data...>",
      "CSV or JSON-lines files with the bundle's input columns (others are ignored); for a model of images a folder, image files or an IDX file",
    )
    .option("--out <file.csv>", "where to write; stdout when left out")
    .option("--backend <name>", "what to compute on; see espalier doctor", "auto")
    .option("--json", "end with one JSON object on stdout (needs --out)")
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      "\nExamples:\n  espalier predict table-price new-houses.csv --out prices.csv\n  espalier predict table-price new-houses.csv | head\n",
    );
  addDataOptions(command).action((bundle: string, data: readonly string[], options: PredictOptions) =>
    withInterrupt((signal) => predict(bundle, { data, options, signal })),
  );
}

interface PredictJob {
  readonly data: readonly string[];
  readonly options: PredictOptions;
  readonly signal: AbortSignal;
}

async function predict(bundlePath: string, { data, options, signal }: PredictJob): Promise<void> {
  const { out } = options;
  // Without --out the predictions are on stdout: what is for people goes to stderr.
  const output = createOutput({ ...options, json: options.json === true || out === undefined });
  const bundle = await loadBundle(bundlePath);
  const table = await openInputs(bundle.manifest, { paths: data, reading: readingOptions(options), signal });
  const predictor = await openNodePredictor(bundle, { backend: options.backend });
  const draft = out === undefined ? undefined : await openDraft(out);
  const missing = new Map<string, number>();
  const { series } = bundle.manifest;
  const answerColumns = async (columns: Columns): Promise<Columns> => {
    const predictions = await predictor.predict(columns, { signal });
    return series === undefined ? withFiles(predictionColumns(predictions), columns) : forecastColumns(predictions, { series, windows: columns });
  };
  let rows = 0;
  try {
    for await (const columns of table) {
      const text = formatCsv(await answerColumns(columns), { header: rows === 0 });
      if (draft === undefined) await writeOut(text);
      else await draft.write(text);
      rows += columns.length;
      countMissing(bundle.manifest.inputs, columns, missing);
      output.status(`${rows} rows`);
    }
    await draft?.commit();
  } catch (error) {
    await draft?.discard();
    throw error;
  } finally {
    await predictor.dispose();
  }
  for (const [name, count] of missing)
    output.note(
      `column "${name}" has ${count} missing ${count === 1 ? "value" : "values"}, as no training row had; the prediction goes on without it`,
    );
  if (out !== undefined) finish(output, { rows, out, json: options.json === true });
}

function finish(output: Output, { rows, out, json }: { readonly rows: number; readonly out: string; readonly json: boolean }): void {
  output.line(`wrote ${rows} ${rows === 1 ? "prediction" : "predictions"} to ${out}`);
  if (json) output.result({ ok: true, rows, out });
}

/** Adds up values that are missing where no training row missed one: predicted nevertheless, but not in silence. */
function countMissing(inputs: Manifest["inputs"], columns: Columns, counts: Map<string, number>): void {
  for (const { name, optional } of inputs) {
    const column = columns.columns.get(name);
    if (optional || column === undefined || column.kind === "tensor") continue;
    const found = column.kind === "number" ? column.values.filter(Number.isNaN).length : column.codes.filter((code) => code < 0).length;
    if (found > 0) counts.set(name, (counts.get(name) ?? 0) + found);
  }
}

/** `prediction`, then one `probability_<class>` column a class. */
export function predictionColumns(predictions: Predictions): Columns {
  if (predictions.task === "regression") {
    return { length: predictions.values.length, columns: new Map([["prediction", { kind: "number", values: predictions.values }]]) };
  }
  const { classes, labels, probabilities } = predictions;
  const columns = new Map<string, Column>([["prediction", { kind: "string", codes: labels, dictionary: classes }]]);
  for (const [i, name] of classes.entries()) {
    const values = Float64Array.from(labels, (_, row) => shortest(probabilities[row * classes.length + i]!)); // one column a class
    columns.set(`probability_${name}`, { kind: "number", values });
  }
  return { length: labels.length, columns };
}

/** `prediction`, then `step` from 1, and what the forecast goes on from: the series and its last time. One row a value. */
function forecastColumns(predictions: Predictions, { series, windows }: { readonly series: SeriesSpec; readonly windows: Columns }): Columns {
  const answers = predictionColumns(predictions);
  const steps = answers.length / windows.length;
  const repeated = gatherRows(
    selectColumns(windows, [...(series.group === undefined ? [] : [series.group]), series.time]),
    Uint32Array.from({ length: answers.length }, (_, i) => Math.floor(i / steps)),
  );
  const columns = new Map<string, Column>([
    ...answers.columns,
    ["step", { kind: "number", values: Float64Array.from({ length: answers.length }, (_, i) => 1 + (i % steps)) }],
  ]);
  for (const [name, column] of repeated.columns) columns.set(`after_${name}`, column);
  return { length: answers.length, columns };
}

/** Images are told apart by their files: a last column `file`. */
function withFiles({ length, columns }: Columns, rows: Columns): Columns {
  const images = [...rows.columns.values()].some(({ kind }) => kind === "tensor");
  const files = images ? rows.columns.get(fileColumn) : undefined;
  return files === undefined ? { length, columns } : { length, columns: new Map([...columns, [fileColumn, files]]) };
}

/** A float32 with the digits that tell it from its neighbours, not those of the float64 nearest to it. */
function shortest(value: number): number {
  return Number(value.toPrecision(9));
}

async function writeOut(text: string): Promise<void> {
  if (!process.stdout.write(text)) await new Promise<void>((resolve) => process.stdout.once("drain", resolve));
}
