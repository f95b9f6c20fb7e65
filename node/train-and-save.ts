import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  createBundle,
  EspalierError,
  exampleRow,
  inputFields,
  lazyCheckpoints,
  trainTable,
  type Columns,
  type LazyCheckpoints,
  type TableModel,
  type TrainedTable,
  type TrainTableOptions,
} from "../core/index.ts";
import { saveBundle } from "./bundle/bundle-files.ts";
import { fileCheckpoints } from "./checkpoints/index.ts";
import { openNodeBackend } from "./open-backend.ts";
import { describeEnvironment } from "./environment.ts";
import { newRunId, runFolder } from "./runs.ts";

/** What is trained, and where the bundle goes. */
export interface TrainAndSaveOptions extends Omit<TrainTableOptions, "backend" | "clock" | "checkpoints"> {
  /** The model's name in its bundle. */
  readonly name: string;
  /** Where the bundle is written. */
  readonly path: string;
  /** "auto" or a backend's name. */
  readonly backendName: string;
  /** What the rows came from. */
  readonly data: { readonly fingerprint: string; readonly source: string };
  /** Told which backend was chosen, and why. */
  readonly onBackend?: (reason: string) => void;
}

/** A trained model in its bundle. */
export interface TrainedBundle {
  readonly trained: TrainedTable;
  readonly run: string;
  readonly path: string;
  readonly backend: string;
}

/** Steps between two checkpoints inside an epoch; they are written to the disk only every two seconds. */
const checkpointEvery = 50;

/**
 * Trains on a table and writes the bundle, with a record of the run and checkpoints while it lasts.
 *
 * When training fails or is stopped its last checkpoint stays in the run's folder, and the error says where; after success it is removed.
 *
 * @throws whatever `trainTable` throws; CANCELLED with the checkpoint's place; FILE_UNREADABLE when the bundle cannot be written
 */
export async function trainAndSave(columns: Columns, options: TrainAndSaveOptions): Promise<TrainedBundle> {
  const { name, path, backendName, data, onBackend, ...training } = options;
  const run = newRunId();
  const folder = join(runFolder(run), "checkpoints");
  const { backend, reason } = await openNodeBackend(backendName);
  const stores = new Map<TableModel, LazyCheckpoints>();
  const clock = (): number => performance.now();
  const checkpoints = (model: TableModel): LazyCheckpoints => {
    const store = stores.get(model) ?? lazyCheckpoints(fileCheckpoints(join(folder, model)), { clock });
    stores.set(model, store);
    return store;
  };
  try {
    onBackend?.(reason);
    const trained = await trainTable(columns, { ...training, backend, clock, checkpoints, checkpointEvery }).catch(async (error: unknown) => {
      for (const store of stores.values()) await store.flush();
      throw withCheckpoint(error, join(folder, [...stores.keys()].at(-1) ?? ""));
    });
    await saveBundle(path, bundleOf(trained, { name, run, data, seed: training.seed, backend: `${backend.name} (${backend.device})` }));
    await rm(folder, { recursive: true, force: true });
    return { trained, run, path, backend: backend.name };
  } finally {
    await backend.dispose();
  }
}

interface BundleContext {
  readonly name: string;
  readonly run: string;
  readonly data: { readonly fingerprint: string; readonly source: string };
  readonly seed: number;
  readonly backend: string;
}

function bundleOf({ table, best }: TrainedTable, { name, run, data, seed, backend }: BundleContext): ReturnType<typeof createBundle> {
  const { train, validation, test } = table.parts;
  return createBundle({
    name,
    model: best.model,
    features: table.features,
    target: table.target,
    inputs: inputFields(table.features, table.profile),
    example: exampleRow(table.features, train),
    metrics: best.test,
    lineage: { run, seed, data: { ...data, rows: train.length + validation.length + test.length } },
    environment: { ...describeEnvironment(), backend },
    createdAt: new Date().toISOString(),
  });
}

/** Ctrl-C leaves a checkpoint: its message says where. */
function withCheckpoint(error: unknown, folder: string): unknown {
  if (!(error instanceof EspalierError) || error.code !== "CANCELLED") return error;
  return new EspalierError(
    error.code,
    `${error.message}; its checkpoint is in ${folder}`,
    { ...error.details, checkpoints: folder },
    { cause: error },
  );
}
