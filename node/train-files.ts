import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  createBundle,
  EspalierError,
  exampleRow,
  inputFields,
  lazyCheckpoints,
  readTable,
  Sha256,
  suggestNames,
  trainTable,
  type Backend,
  type Bundle,
  type LazyCheckpoints,
  type OpenedTable,
  type RunRecord,
  type TableEvent,
  type TableModel,
  type TrainedTable,
  type TrainTableOptions,
} from "../core/index.ts";
import { saveBundle } from "./bundle/bundle-files.ts";
import { fileCheckpoints } from "./checkpoints/index.ts";
import { describeEnvironment } from "./environment.ts";
import { openNodeBackend } from "./open-backend.ts";
import { packageVersion } from "./package-version.ts";
import { openFiles, type ReadingOptions } from "./sources/open-files.ts";
import { recordRun, type RunRecorder } from "./tracking/record-run.ts";

/** The settings of a training call that decide the model: kept in the run's record. */
export interface TrainingParameters extends Pick<
  TrainTableOptions,
  "target" | "seed" | "model" | "task" | "ignore" | "epochs" | "batchSize" | "learningRate"
> {
  /** "auto" or a backend's name. */
  readonly backend: string;
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
  readonly checkPath?: (path: string) => Promise<void>;
  /** Refuses files whose bytes are others than in an earlier run. */
  readonly fingerprint?: string;
  /** The id of a run that was stopped: its checkpoints are gone on from. */
  readonly resumes?: string;
  readonly onNote?: (text: string) => void;
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
  const { files, reading, parameters, signal, onNote } = options;
  const hash = new Sha256();
  const table = await openFiles(files, reading, { sampleRows: Infinity, onBytes: (bytes) => hash.update(bytes), ...(signal && { signal }) });
  const target = checkTarget(table, parameters.target);
  const fingerprint = hash.hex();
  if (options.fingerprint !== undefined && options.fingerprint !== fingerprint) {
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `${table.name} has changed since that run: SHA-256 ${fingerprint.slice(0, 16)}, not ${options.fingerprint.slice(0, 16)}`,
      { fingerprint },
    );
  }
  const name = options.name(target);
  const path = options.path ?? name;
  await options.checkPath?.(path);
  for (const note of table.notes) onNote?.(note);
  const columns = await readTable(table);
  const { backend, reason } = await openNodeBackend(parameters.backend);
  try {
    options.onBackend?.(reason);
    const recorder = recordRun(options.runs, {
      parameters: { ...parameters, target, name, path },
      data: { files, fingerprint, rows: columns.length, options: { ...reading } },
      version: packageVersion(),
      environment: { ...describeEnvironment(), backend: `${backend.name} (${backend.device})` },
    });
    const job: Job = { options, parameters: { ...parameters, target }, backend, recorder };
    const trained = await trainRecorded(columns, job);
    const bundle = bundleOf(trained, { name, seed: parameters.seed, record: recorder.record() });
    await saveBundle(path, bundle);
    await recorder.finish({
      model: trained.best.name,
      metrics: trained.best.test,
      artifacts: [{ kind: "bundle", path, version: bundle.manifest.version }],
    });
    return { trained, bundle, run: recorder.id, path, backend: backend.name };
  } finally {
    await backend.dispose();
  }
}

interface Job {
  readonly options: TrainFilesOptions;
  readonly parameters: TrainingParameters;
  readonly backend: Backend;
  readonly recorder: RunRecorder;
}

async function trainRecorded(columns: Parameters<typeof trainTable>[0], { options, parameters, backend, recorder }: Job): Promise<TrainedTable> {
  const { signal, onEvent, resumes } = options;
  const { backend: _, ...settings } = parameters;
  const folder = join(options.runs, options.resumes ?? recorder.id, "checkpoints");
  const stores = new Map<TableModel, LazyCheckpoints>();
  const clock = (): number => performance.now();
  const checkpoints = (model: TableModel): LazyCheckpoints => {
    const store = stores.get(model) ?? lazyCheckpoints(fileCheckpoints(join(folder, model)), { clock });
    stores.set(model, store);
    return store;
  };
  const follow = async (event: TableEvent): Promise<void> => {
    onEvent?.(event);
    await recorder.follow(event);
  };
  try {
    const trained = await trainTable(columns, {
      ...settings,
      backend,
      clock,
      checkpoints,
      checkpointEvery,
      onEvent: follow,
      resume: resumes !== undefined,
      ...(signal && { signal }),
    });
    await rm(folder, { recursive: true, force: true });
    return trained;
  } catch (error) {
    for (const store of stores.values()) await store.flush();
    const place = join(folder, [...stores.keys()].at(-1) ?? "");
    await recorder.fail(error, stores.size === 0 ? [] : [{ kind: "checkpoints", path: place }]);
    if (!(error instanceof EspalierError) || error.code !== "CANCELLED") throw error;
    throw new EspalierError(
      "CANCELLED",
      `${error.message}; its checkpoint is in ${place}; go on with: espalier runs resume ${resumes ?? recorder.id}`,
      { ...error.details, checkpoints: place },
      { cause: error },
    );
  }
}

/** Before the rows are read into memory. */
function checkTarget({ name, schema }: OpenedTable, target: string | undefined): string {
  const names = Object.keys(schema);
  if (target === undefined) throw new EspalierError("ARGUMENT_INVALID", `say which column to predict: --target <column>${suggestNames("", names)}`);
  if (Object.hasOwn(schema, target)) return target;
  throw new EspalierError("COLUMN_MISSING", `${name} has no column "${target}" to predict${suggestNames(target, names)}`, { column: target });
}

function bundleOf(
  { table, best }: TrainedTable,
  { name, seed, record }: { readonly name: string; readonly seed: number; readonly record: RunRecord },
): Bundle {
  const { train, validation, test } = table.parts;
  const { fingerprint, files } = record.data;
  return createBundle({
    name,
    model: best.model,
    features: table.features,
    target: table.target,
    inputs: inputFields(table.features, table.profile),
    example: exampleRow(table.features, train),
    metrics: best.test,
    lineage: { run: record.id, seed, data: { fingerprint, source: files.join(", "), rows: train.length + validation.length + test.length } },
    environment: record.environment,
    createdAt: new Date().toISOString(),
  });
}
