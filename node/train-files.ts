import { join, resolve } from "node:path";
import {
  checkModelName,
  createBundle,
  EspalierError,
  inputFields,
  suggestNames,
  trainTable,
  type Backend,
  type Bundle,
  type RowSource,
  type RunRecord,
  type TableEvent,
  type TrainedTable,
  type TrainTableOptions,
  type TransferSource,
} from "../core/index.ts";
import { saveBundle } from "./bundle/bundle-files.ts";
import { modelStores, type ModelStores } from "./checkpoints/model-stores.ts";
import { describeEnvironment, memoryForTraining } from "./environment.ts";
import {
  missingFor,
  openTransferSource,
  readingFor,
  transferNote,
  type OpenedTransferSource,
  type TransferSettings,
} from "./open-transfer-source.ts";
import { openNodeBackend } from "./open-backend.ts";
import { packageVersion } from "./package-version.ts";
import type { ReadingOptions } from "./sources/open-files.ts";
import { openTrainingData } from "./sources/open-training-data.ts";
import type { TrainingData } from "./sources/training-data.ts";
import { csvFile, tensorBoardFiles } from "./tracking/log-files.ts";
import { recordRun, type RunRecorder } from "./tracking/record-run.ts";

/** The settings of a training call that decide the model: kept in the run's record. */
export interface TrainingParameters extends Pick<
  TrainTableOptions,
  "target" | "seed" | "model" | "task" | "ignore" | "epochs" | "batchSize" | "memoryBytes" | "learningRate" | "precision" | "augmentation" | "series"
> {
  /** "auto" or a backend's name. */
  readonly backend: string;
  /** A bundle whose body is learned on with. */
  readonly from?: TransferSettings;
}

/** What is trained, on which files, and where the bundle goes. */
export interface TrainFilesOptions {
  readonly files: readonly string[];
  readonly reading: ReadingOptions;
  /** Without a target the error says which columns there are. */
  readonly parameters: Omit<TrainingParameters, "target"> & { readonly target?: string };
  /** The model's name in its bundle. */
  readonly name: (target: string) => string;
  /** Where the bundle is written; default: its name, in the working directory. Checked before training. */
  readonly path?: string;
  /** The folder of run records. */
  readonly runs: string;
  /** A folder for logs: `<model>/epochs.csv` and TensorBoard's event files beside it. Default: none are written. */
  readonly logs?: string;
  readonly checkPath?: (path: string) => Promise<void>;
  /** Refuses files whose bytes are others than in an earlier run. */
  readonly fingerprint?: string;
  /** A run that was stopped: its checkpoints are gone on from. */
  readonly resumes?: RunRecord;
  readonly onNote?: (text: string) => void;
  /** Told how many images were decoded. */
  readonly onReading?: (done: number, total: number) => void;
  /** Told which backend was chosen, and why. */
  readonly onBackend?: (reason: string) => void;
  readonly onEvent?: (event: TableEvent) => void;
  readonly signal?: AbortSignal;
}

/** A trained model in its bundle. */
export interface TrainedBundle {
  readonly trained: TrainedTable;
  readonly bundle: Bundle;
  readonly run: string;
  readonly path: string;
  readonly backend: string;
}

/** Steps between two checkpoints inside an epoch; they are written to the disk only every two seconds. */
const checkpointEvery = 50;

/**
 * From files to a bundle, with a record of the run and checkpoints while it lasts.
 *
 * When training fails or is stopped its last checkpoint stays in the run's folder, and the error says where; after success it is removed.
 *
 * @throws FILE_UNREADABLE; what opening the files, `trainTable` and `openNodeBackend` throw; CANCELLED with the checkpoint's place
 */
export async function trainFiles(options: TrainFilesOptions): Promise<TrainedBundle> {
  const { files, signal, onNote, onReading } = options;
  checkModelName(options.parameters.model ?? "auto");
  const from = options.parameters.from && (await openTransferSource(options.parameters.from));
  const parameters = withVersion(withMemory(options.parameters), from);
  const reading = from === undefined ? options.reading : readingFor(from, options.reading);
  const opening = openTrainingData(files, { reading, ...(signal && { signal }), ...(onReading && { onProgress: onReading }) });
  const data = await (from === undefined ? opening : opening.catch(missingFor(from)));
  const target = checkTarget(data, parameters.target);
  const { fingerprint } = data;
  if (options.fingerprint !== undefined && options.fingerprint !== fingerprint) {
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `${data.name} has changed since that run: SHA-256 ${fingerprint.slice(0, 16)}, not ${options.fingerprint.slice(0, 16)}`,
      { fingerprint },
    );
  }
  const name = options.name(target);
  const path = options.path ?? name;
  await options.checkPath?.(path);
  checkOtherPlace(path, parameters.from);
  for (const note of data.notes) onNote?.(note);
  if (from !== undefined) onNote?.(transferNote(from));
  const { source, notes } = await data.read();
  for (const note of notes) onNote?.(note);
  const { backend, reason } = await openNodeBackend(parameters.backend);
  try {
    options.onBackend?.(reason);
    const start = {
      parameters: { ...parameters, target, name, path },
      data: { files, fingerprint, rows: source.columns.length, options: { ...options.reading } },
      version: packageVersion(),
      environment: { ...describeEnvironment(), backend: `${backend.name} (${backend.device})` },
      ...(options.logs !== undefined && { logs: options.logs }),
    };
    const recorder = recordRun(options.runs, start, options.resumes);
    const stores = modelStores(join(recorder.folder, "checkpoints"), { clock });
    try {
      const job: Job = { options, parameters: { ...parameters, target }, backend, recorder, stores, from: from?.source };
      const trained = await trainRecorded(source, job);
      const bundle = bundleOf(trained, { name, seed: parameters.seed, record: recorder.record(), from });
      await saveBundle(path, bundle);
      await recorder.finish({
        model: trained.best.name,
        metrics: trained.best.test,
        ...(trained.diverged.length > 0 && { diverged: trained.diverged }),
        artifacts: [{ kind: "bundle", path, version: bundle.manifest.version }],
      });
      await stores.remove(); // not sooner: until the bundle is there they are all that is left of the training
      return { trained, bundle, run: recorder.id, path, backend: backend.name };
    } catch (error) {
      throw await recordFailure(error, { recorder, stores });
    }
  } finally {
    await backend.dispose();
  }
}

/** An automatic batch size depends on the memory it may take: that is recorded, so that the run is repeated with the same size on any machine. */
function withMemory<P extends Pick<TrainingParameters, "batchSize" | "memoryBytes">>(parameters: P): P {
  if (parameters.batchSize !== "auto" || parameters.memoryBytes !== undefined) return parameters;
  return { ...parameters, memoryBytes: memoryForTraining() };
}

/** The bundle's version is recorded: the run is only repeated with the same one. */
function withVersion<P extends Pick<TrainingParameters, "from">>(parameters: P, from: OpenedTransferSource | undefined): P {
  return from === undefined || parameters.from === undefined ? parameters : { ...parameters, from: { ...parameters.from, version: from.version } };
}

/** @throws ARGUMENT_INVALID when the new bundle would replace the one that it is made from */
function checkOtherPlace(path: string, from: TransferSettings | undefined): void {
  if (from === undefined || resolve(path) !== resolve(from.bundle)) return;
  throw new EspalierError("ARGUMENT_INVALID", `the bundle would be written over ${from.bundle}, which it is learned from; choose another place`, {
    path,
  });
}

const clock = (): number => performance.now();

/** What the user, or the machine, may mend; the training is not lost by it. */
const mendable: ReadonlySet<string> = new Set(["CANCELLED", "FILE_UNREADABLE", "BACKEND_LOST"]);

/** Keeps what the run had come to. @returns the error, which says how to go on where that helps */
async function recordFailure(
  error: unknown,
  { recorder, stores }: { readonly recorder: RunRecorder; readonly stores: ModelStores },
): Promise<unknown> {
  // Where the disk is full neither can be written: what is there already was written whole, and the failure itself is what is told.
  await stores.flush().catch(() => undefined);
  const place = await stores.place();
  await recorder.fail(error, place === undefined ? [] : [{ kind: "checkpoints", path: place }]).catch(() => undefined);
  if (place === undefined || !(error instanceof EspalierError) || !mendable.has(error.code)) return error;
  return new EspalierError(
    error.code,
    `${error.message}; its checkpoint is in ${place}; go on with: espalier runs resume ${recorder.id}`,
    { ...error.details, checkpoints: place },
    { cause: error },
  );
}

interface Job {
  readonly options: TrainFilesOptions;
  readonly parameters: TrainingParameters;
  readonly backend: Backend;
  readonly recorder: RunRecorder;
  readonly stores: ModelStores;
  readonly from: TransferSource | undefined;
}

function trainRecorded(source: RowSource, { options, parameters, backend, recorder, stores, from }: Job): Promise<TrainedTable> {
  const { signal, onEvent, resumes, logs } = options;
  const { backend: _, from: __, ...settings } = parameters;
  const follow = async (event: TableEvent): Promise<void> => {
    onEvent?.(event);
    await recorder.follow(event);
  };
  return trainTable(source, {
    ...settings,
    ...(from && { from }),
    backend,
    clock,
    checkpoints: (model) => stores.of(model),
    checkpointEvery,
    onEvent: follow,
    resume: resumes !== undefined,
    ...(signal && { signal }),
    ...(logs !== undefined && { callbacks: (model: string) => [csvFile(join(logs, model, "epochs.csv")), tensorBoardFiles(join(logs, model))] }),
  });
}

/** Before the rows are read into memory. */
function checkTarget({ name, columns: names, defaultTarget }: TrainingData, target: string | undefined = defaultTarget): string {
  if (target === undefined) throw new EspalierError("ARGUMENT_INVALID", `say which column to predict: --target <column>${suggestNames("", names)}`);
  if (names.includes(target)) return target;
  throw new EspalierError("COLUMN_MISSING", `${name} has no column "${target}" to predict${suggestNames(target, names)}`, { column: target });
}

function bundleOf(
  { table, best }: TrainedTable,
  {
    name,
    seed,
    record,
    from,
  }: { readonly name: string; readonly seed: number; readonly record: RunRecord; readonly from: OpenedTransferSource | undefined },
): Bundle {
  const { train, validation, test } = table.parts;
  const { fingerprint, files } = record.data;
  return createBundle({
    name,
    model: best.model,
    features: table.features,
    target: table.target,
    inputs: inputFields(table.features, table.profile),
    ...(table.series && { series: table.series }),
    example: table.example,
    metrics: best.test,
    lineage: {
      run: record.id,
      seed,
      ...(from && { from: { name: from.bundleName, version: from.version } }),
      data: { fingerprint, source: files.join(", "), rows: train.length + validation.length + test.length },
    },
    environment: record.environment,
    createdAt: new Date().toISOString(),
  });
}
