import type { Command } from "commander";
import {
  concatColumns,
  evaluatePredictions,
  gatherRows,
  rowsWithTarget,
  selectColumns,
  truthColumn,
  type Columns,
  type Predictions,
} from "../core/index.ts";
import { loadBundle } from "../node/bundle/bundle-files.ts";
import { openNodePredictor } from "../node/open-predictor.ts";
import { openInputs } from "../node/sources/open-files.ts";
import { addDataOptions, type DataOptions, readingOptions } from "./data-options.ts";
import { withInterrupt } from "./interrupt.ts";
import { createOutput, formatTable } from "./output.ts";

interface EvaluateOptions extends DataOptions {
  readonly backend: string;
  readonly json?: boolean;
}

/** `espalier evaluate <bundle> <data>`: metrics on rows whose target is known. */
export function addEvaluate(program: Command): void {
  const command = program
    .command("evaluate")
    .description("measure a bundle on a data file whose target is known")
    .argument("<bundle>", "what espalier train wrote")
    .argument(
      "<data...>",
      "CSV or JSON-lines files with the bundle's input columns and its target; for a model of images a folder of <class>/<file>, or an IDX file",
    )
    .option("--backend <name>", "what to compute on; see espalier doctor", "auto")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExamples:\n  espalier evaluate table-price sold-in-may.csv\n  espalier evaluate table-price sold-in-may.csv --json\n");
  addDataOptions(command).action((bundle: string, data: readonly string[], options: EvaluateOptions) =>
    withInterrupt((signal) => evaluate(bundle, { data, options, signal })),
  );
}

interface EvaluateJob {
  readonly data: readonly string[];
  readonly options: EvaluateOptions;
  readonly signal: AbortSignal;
}

async function evaluate(bundlePath: string, { data, options, signal }: EvaluateJob): Promise<void> {
  const output = createOutput(options);
  const bundle = await loadBundle(bundlePath);
  const { target } = bundle.manifest;
  const table = await openInputs(bundle.manifest, { paths: data, reading: readingOptions(options), signal, withTarget: true });
  const predictor = await openNodePredictor(bundle, { backend: options.backend });
  const truthName = truthColumn(target);
  const truth: Columns[] = [];
  const answers: Predictions[] = [];
  let dropped = 0;
  try {
    for await (const columns of table) {
      const kept = rowsWithTarget(columns, truthName);
      dropped += columns.length - kept.length;
      if (kept.length === 0) continue;
      const rows = gatherRows(columns, kept);
      answers.push(await predictor.predict(rows, { signal }));
      truth.push(selectColumns(rows, [truthName]));
    }
  } finally {
    await predictor.dispose();
  }
  const columns = concatColumns(truth);
  const metrics = evaluatePredictions(target, { predictions: answers, columns });
  if (dropped > 0) output.note(`${dropped} ${dropped === 1 ? "row is" : "rows are"} left out: the target is missing`);
  output.line(`${columns.length} rows, ${target.task} of "${target.column}"`);
  for (const line of formatTable(Object.entries(metrics).map(([name, value]) => [`  ${name}`, value]))) output.line(line);
  output.result({ ok: true, rows: columns.length, metrics });
}
