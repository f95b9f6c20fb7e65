import { basename } from "node:path";
import { type Command, Option } from "commander";
import { EspalierError, precisions, type Precision, type SeriesOptions } from "../core/index.ts";
import { checkBundlePlace } from "../node/bundle/bundle-files.ts";
import { runsFolder } from "../node/tracking/file-runs.ts";
import { trainFiles, type TrainFilesOptions } from "../node/train-files.ts";
import { addDataOptions, type DataOptions, readingOptions } from "./data-options.ts";
import { withInterrupt } from "./interrupt.ts";
import { byteSize, list, positiveNumber, wholeNumber, wholeNumberOrAuto } from "./options.ts";
import { createOutput } from "./output.ts";
import { trainingOutput } from "./training-output.ts";
import { reportTraining } from "./training-report.ts";

interface TrainOptions extends DataOptions {
  readonly target?: string;
  readonly model: string;
  readonly task?: "classification" | "regression";
  readonly ignore?: readonly string[];
  readonly epochs?: number;
  readonly batchSize?: number | "auto";
  readonly memory?: number;
  readonly learningRate?: number;
  readonly from?: string;
  readonly freeze?: boolean;
  readonly bodyRate?: number;
  readonly precision?: Precision;
  readonly imageSize?: number;
  readonly time?: string;
  readonly group?: string;
  readonly horizon?: number;
  readonly window?: number;
  readonly season?: number;
  /** False with `--no-augmentation`; commander sets true otherwise. */
  readonly augmentation: boolean;
  readonly seed: number;
  readonly backend: string;
  readonly distribute?: string;
  readonly out?: string;
  readonly logs?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `espalier train <data...> --target <column>`: from files to a bundle. */
export function addTrain(program: Command): void {
  const command = program
    .command("train")
    .description("train a model on a table or on images and write it as a bundle")
    .argument(
      "<data...>",
      "CSV or JSON-lines files, plain or gzip (several are parts of one table); a folder of images, <class>/<file> or train/<class>/<file> ...; or an IDX file of images",
    )
    .option("--target <column>", "the column to predict; of images it is their class")
    .option("--model <name>", "what to train; auto keeps the better of linear and network, which suits the data; a wrong name lists all", "auto")
    .option("--from <bundle>", "learn on with a trained model: its body and features are kept, its last layer is made anew for the target")
    .option("--freeze", "with --from: leave the body as it is; only the new layer learns")
    .option("--body-rate <factor>", "with --from: times the learning rate for the body, to change it less than the new layer", positiveNumber)
    .addOption(new Option("--task <task>", "what the target is; found from its values when left out").choices(["classification", "regression"]))
    .option("--ignore <columns>", "columns not to use (a,b,c)", list)
    .option("--epochs <n>", "passes over the data at most; training stops when it no longer helps", wholeNumber(1))
    .option("--batch-size <n|auto>", "rows of one step; auto takes the most that fit into memory and leave enough steps", wholeNumberOrAuto(1))
    .option("--memory <size>", "with --batch-size auto: what a step may take (500MB, 2GiB); half of the machine's when left out", byteSize)
    .option("--learning-rate <rate>", "size of the steps", positiveNumber)
    .addOption(
      new Option(
        "--precision <name>",
        "element types of a step: mixed_float16 has products and convolutions in float16, where the backend has it",
      ).choices(precisions),
    )
    .option("--image-size <pixels>", "the side of the square that images are brought to; found in the images when left out", wholeNumber(1, 4096))
    .option("--time <column>", "read the rows as a time series in the order of this column, and forecast the target's next values")
    .option("--group <column>", "the column that tells several series apart (with --time)")
    .option("--horizon <n>", "rows to forecast (with --time); 1 when left out", wholeNumber(1))
    .option("--window <n>", "rows that a forecast is made from (with --time); found in the data when left out", wholeNumber(1))
    .option("--season <n>", "rows after which the series repeats itself (with --time); found in the data when left out", wholeNumber(1))
    .option("--no-augmentation", "train on images as they are, not moved, turned and mirrored at random")
    .option("--seed <n>", "the same seed and data give the same model", wholeNumber(0), 0)
    .option("--backend <name>", "what to compute on; see espalier doctor", "auto")
    .option("--distribute <n|mpi>", "train in several processes (not in this release)")
    .option("--out <bundle>", "where to write the bundle: a folder, or a file ending in .safetensors")
    .option("--logs <folder>", "also write each model's training there: a table of its epochs, and what tensorboard --logdir shows")
    .option("--json", "end with one JSON object on stdout")
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      "\nExamples:\n  espalier train houses.csv --target price\n  espalier train january.csv february.csv.gz --target churned --ignore customer --out churn\n" +
        "  espalier train table.csv --target y --model linear --seed 7 --json\n  espalier train photos/ --out photos\n  espalier train scans/ --from photos --freeze\n  espalier train weather.csv --target temp_max --time date --horizon 7\n",
    );
  addDataOptions(command).action((paths: readonly string[], options: TrainOptions) => withInterrupt((signal) => train(paths, options, signal)));
}

async function train(files: readonly string[], options: TrainOptions, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  const output = createOutput(options);
  const { out } = options;
  const result = await trainFiles({
    files,
    reading: { ...readingOptions(options), ...(options.imageSize !== undefined && { imageSize: options.imageSize }) },
    parameters: trainingParameters(options),
    name: (target) => (out === undefined ? bundleName(files[0] ?? "table", target) : bundleName(out)),
    ...(out !== undefined && { path: out }),
    ...(options.logs !== undefined && { logs: options.logs }),
    checkPath: checkBundlePlace,
    runs: runsFolder,
    signal,
    ...trainingOutput(output),
  });
  reportTraining(result, { output, seconds: (performance.now() - started) / 1000 });
}

/** @throws ARGUMENT_INVALID for what this release does not have */
function trainingParameters(options: TrainOptions): TrainFilesOptions["parameters"] {
  const { model, distribute, target, seed, backend, task, ignore, epochs, batchSize, memory, learningRate, precision, augmentation } = options;
  if (distribute !== undefined) {
    throw new EspalierError("ARGUMENT_INVALID", "--distribute is not in this release: training runs in one process; leave the option out", {
      distribute,
    });
  }
  if (memory !== undefined && batchSize !== "auto") {
    throw new EspalierError("ARGUMENT_INVALID", "--memory bounds an automatic batch size; add --batch-size auto, or leave it out", { memory });
  }
  if (model === "boosted-trees") {
    throw new EspalierError("ARGUMENT_INVALID", "--model boosted-trees is not in this release; choose auto, linear or network", { model });
  }
  return {
    model,
    seed,
    backend,
    ...(target !== undefined && { target }),
    ...(task !== undefined && { task }),
    ...(ignore !== undefined && { ignore }),
    ...(epochs !== undefined && { epochs }),
    ...(batchSize !== undefined && { batchSize }),
    ...(precision !== undefined && { precision }),
    ...(memory !== undefined && { memoryBytes: memory }),
    ...(learningRate !== undefined && { learningRate }),
    ...(!augmentation && { augmentation }),
    ...transferOptions(options),
    ...seriesOptions(options),
  };
}

/** @throws ARGUMENT_INVALID for an option of transfer without its bundle, or two that exclude each other */
function transferOptions({ from: bundle, freeze, bodyRate, model }: TrainOptions): Pick<TrainFilesOptions["parameters"], "from"> {
  const refuse = (option: string, message: string): never => {
    throw new EspalierError("ARGUMENT_INVALID", message, { option });
  };
  if (bundle === undefined) {
    const option = freeze === true ? "--freeze" : "--body-rate";
    return freeze === true || bodyRate !== undefined ? refuse(option, `${option} is for learning on with a trained model: --from <bundle>`) : {};
  }
  if (model !== "auto") refuse("--model", `--from takes the network of ${bundle}; leave --model ${model} out`);
  if (freeze === true && bodyRate !== undefined)
    refuse("--body-rate", "--freeze leaves the body as it is, so that it has no --body-rate; leave one of them out");
  return { from: { bundle, ...(freeze !== undefined && { freeze }), ...(bodyRate !== undefined && { bodyRate }) } };
}

/** @throws ARGUMENT_INVALID for an option of time series without its column of times */
function seriesOptions({ time, group, horizon, window, season }: TrainOptions): { readonly series?: SeriesOptions } {
  const given = Object.entries({ group, horizon, window, season }).filter(([, value]) => value !== undefined);
  if (time !== undefined) return { series: { time, ...Object.fromEntries(given) } };
  const [first] = given;
  if (first === undefined) return {};
  throw new EspalierError("ARGUMENT_INVALID", `--${first[0]} is for time series; say which column holds the times: --time <column>`, {
    option: first[0],
  });
}

/** A name that may stand in a URL: of the file and the target, or of the place to write to. */
function bundleName(path: string, target?: string): string {
  const file = basename(path).replace(/(\.(csv|tsv|tab|txt|jsonl|ndjson|json|safetensors))?(\.gz)?$/i, "");
  const text = target === undefined ? file : `${file}-${target}`;
  return (
    text
      .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
      .replaceAll(/^[^A-Za-z0-9]+|-+$/g, "")
      .slice(0, 128) || "model"
  );
}
