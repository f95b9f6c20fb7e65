/**
 * From real handwritten digits to a served model: what `npm run demo` runs.
 *
 * Loads the data, trains a convolutional network with progress, evaluates it on rows that it has not seen, writes the bundle and serves it.
 *
 *   npm run demo -- [--port 8080] [--seed 0] [--epochs 20] [--backend auto] [--out .espalier/demo/digits] [--no-serve]
 */
import { access } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { trainingProgress } from "../cli/training-progress.ts";
import { withInterrupt } from "../cli/interrupt.ts";
import { createOutput, type Output } from "../cli/output.ts";
import { reportError } from "../cli/report-error.ts";
import {
  adam,
  augmentedFeeds,
  confusionMatrix,
  convNet,
  cosineSchedule,
  createBundle,
  createPredictor,
  encodeTarget,
  EspalierError,
  evaluatePredictions,
  exampleRow,
  feedBatches,
  fit,
  fitFeatures,
  fitTarget,
  inputFields,
  profileColumns,
  softmaxCrossEntropy,
  splitColumns,
  tensorBatches,
  tensorFeeds,
  transformFeatures,
  type Bundle,
  type Columns,
  type Predictions,
  type Tensors,
} from "../core/index.ts";
import { loadBundle, saveBundle } from "../node/bundle/bundle-files.ts";
import { describeEnvironment } from "../node/environment.ts";
import { openNodeBackend } from "../node/open-backend.ts";
import { serve, type RunningServer } from "../server/node/index.ts";
import { digitAugmentation, digitFeatures, loadDigits } from "./load-digits.ts";

interface Settings {
  readonly port: number;
  readonly seed: number;
  readonly epochs: number;
  readonly backendName: string;
  readonly out: string;
  readonly serving: boolean;
}

const output = createOutput({});

try {
  const settings = readSettings(process.argv.slice(2));
  await withInterrupt((signal) => train(settings, signal));
  if (settings.serving) await serveUntilStopped(settings);
} catch (error) {
  process.exitCode = reportError(error);
}

async function train({ seed, epochs, backendName, out }: Settings, signal: AbortSignal): Promise<void> {
  // The data: three parts with every digit in its share. Only the first teaches; the second chooses the epoch; the third is for the figures at the end.
  const { table, fingerprint } = await loadDigits();
  const parts = splitColumns(table, { seed, stratifyBy: "digit" });
  const features = await fitFeatures(digitFeatures, [parts.train]);
  const target = fitTarget(parts.train, "digit", { task: "classification" });
  const feeds = (rows: Columns): Tensors => ({ ...transformFeatures(features, rows), labels: encodeTarget(target, rows) });
  output.line(
    `${table.length} handwritten digits: ${parts.train.length} to train on, ${parts.validation.length} to choose by, ${parts.test.length} to test on`,
  );

  // The model, trained on the best backend that works here.
  const { backend, reason } = await openNodeBackend(backendName);
  output.line(`backend ${reason}`);
  // People slant and turn their digits more than 1,257 examples show: every epoch sees each of them a little different.
  const training = augmentedFeeds(tensorFeeds(feeds(parts.train)), { input: "image", ...digitAugmentation });
  const { model, bestEpoch } = await fit({
    model: convNet({ input: "image", shape: [1, 8, 8], head: { task: "classification", classes: 10 }, seed }),
    backend,
    loss: softmaxCrossEntropy({ labelSmoothing: 0.03 }),
    optimizer: adam({ learningRate: 0.003 }),
    schedule: cosineSchedule(),
    train: (shuffle) => feedBatches(training, { batchSize: 32, shuffle }),
    validation: tensorBatches(feeds(parts.validation), { batchSize: 256 }),
    epochs,
    seed,
    onEvent: trainingProgress("digits", output),
    signal,
    clock: () => performance.now(),
  });
  if (signal.aborted) throw new EspalierError("CANCELLED", `training was stopped; the best epoch so far was ${bestEpoch}`);

  // How good it is on rows that neither training nor the choice of the epoch has seen.
  const profile = await profileColumns([parts.train]);
  const draft = { name: "digits", model, features, target, inputs: inputFields(features, profile), example: exampleRow(features, parts.train) };
  const lineage = { seed, data: { fingerprint, rows: table.length, source: "examples/data/digits.csv.gz" } };
  const environment = { ...describeEnvironment(), backend: backend.name, device: backend.device };
  const contents = { ...draft, metrics: {}, lineage, environment, createdAt: new Date().toISOString() };
  const predictor = await createPredictor(createBundle(contents), backend);
  const predictions = await predictor.predict(parts.test);
  const metrics = evaluatePredictions(target, { predictions, columns: parts.test });
  showConfusion(predictions, Int32Array.from(encodeTarget(target, parts.test).data, Number));
  output.line(
    `\nheld-out accuracy ${metrics["accuracy"]?.toFixed(4)}, log loss ${metrics["logLoss"]?.toFixed(4)}, macro F1 ${metrics["macroF1"]?.toFixed(4)}`,
  );
  await predictor.dispose();
  await backend.dispose();

  // Everything that a prediction needs, in one folder.
  await saveBundle(out, createBundle({ ...contents, metrics }));
  const saved: Bundle = await loadBundle(out);
  output.line(`wrote ${out}: model "${saved.manifest.name}", version ${saved.manifest.version}`);
}

function showConfusion(predictions: Predictions, truth: Int32Array): void {
  if (predictions.task !== "classification") throw new EspalierError("INTERNAL", "the digits' model is a classifier");
  const counts = confusionMatrix(predictions, truth);
  output.line(`\nconfusion matrix (rows: the digit, columns: the answer)`);
  output.line(`     ${predictions.classes.map((name) => name.padStart(4)).join("")}`);
  for (const [row, line] of counts.entries()) {
    output.line(`  ${String(predictions.classes[row]).padStart(2)} ${line.map((count) => (count === 0 ? "." : String(count)).padStart(4)).join("")}`);
  }
}

async function serveUntilStopped({ port, out, backendName }: Settings): Promise<void> {
  const assetsFolder = fileURLToPath(new URL("../dist/browser", import.meta.url));
  const server = await serveOnFreePort({ port, bundles: [out], backend: backendName, assetsFolder }, output);
  const demo = await access(`${assetsFolder}/demos/digits/index.html`).then(
    () => `${server.url}/demos/digits/`,
    () => "not built here: npm run build makes it",
  );
  output.line(`\nlistening on ${server.url}`);
  output.line(`  draw a digit, and the endpoint answers   ${server.url}/`);
  output.line(`  train in the page                        ${demo}`);
  output.line(`  the API                                  ${server.url}/docs`);
  output.line(`  metrics                                  ${server.url}/metrics`);
  output.line("Ctrl-C stops it.");
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  await server.close();
}

/** The wanted port, or any free one when another program has it. */
async function serveOnFreePort(options: Parameters<typeof serve>[0], talk: Output): Promise<RunningServer> {
  try {
    return await serve(options);
  } catch (error) {
    if (!(error instanceof EspalierError) || error.code !== "PORT_IN_USE") throw error;
    talk.note(`port ${options.port} is in use; taking a free one`);
    return await serve({ ...options, port: 0 });
  }
}

/** @throws ARGUMENT_INVALID for an unknown option or a number out of range */
function readSettings(words: readonly string[]): Settings {
  const values = parse(words);
  return {
    port: wholeNumber("--port", values.port ?? process.env["DEMO_PORT"] ?? "8080", [0, 65_535]),
    seed: wholeNumber("--seed", values.seed ?? "0", [0, Number.MAX_SAFE_INTEGER]),
    epochs: wholeNumber("--epochs", values.epochs ?? "20", [1, 10_000]),
    backendName: values.backend ?? "auto",
    out: values.out ?? ".espalier/demo/digits",
    serving: values["no-serve"] !== true,
  };
}

function parse(words: readonly string[]) {
  const text = { type: "string" } as const;
  const options = { port: text, seed: text, epochs: text, backend: text, out: text, "no-serve": { type: "boolean" } } as const;
  try {
    return parseArgs({ args: [...words], options }).values;
  } catch (cause) {
    throw new EspalierError("ARGUMENT_INVALID", cause instanceof Error ? cause.message : String(cause), {}, { cause });
  }
}

function wholeNumber(option: string, text: string, [least, most]: readonly [number, number]): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new EspalierError("ARGUMENT_INVALID", `${option} must be a whole number from ${least} to ${most}, not "${text}"`, { option, text });
}
