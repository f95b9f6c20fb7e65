/** How a run ended, or that it has not; "interrupted" when the process that trained it is gone. */
export type RunStatus = "running" | "finished" | "failed" | "cancelled" | "interrupted";

/** What was trained, on what, with what, and what came of it: plain JSON, enough to do it again. */
export interface RunRecord {
  readonly id: string;
  readonly status: RunStatus;
  /** ISO 8601. */
  readonly startedAt: string;
  /** When it was gone on with after a break; absent for a run without one. */
  readonly resumedAt?: readonly string[];
  /** Of training; what a killed process spent on it is not known. */
  readonly seconds?: number;
  /** The settings of the training call, seed included: what `runs reproduce` calls it with. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly data: {
    readonly files: readonly string[];
    /** SHA-256 over the files' bytes, one after the other. */
    readonly fingerprint: string;
    readonly rows: number;
    /** How the files are read where that was said. */
    readonly options: Readonly<Record<string, unknown>>;
  };
  /** Espalier's version. */
  readonly version: string;
  /** Node, system, processor, backend. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of the chosen model, on held-out rows. */
  readonly metrics?: Readonly<Record<string, number>>;
  /** Which model was kept, when there was a choice. */
  readonly model?: string;
  /** The folder of its logs, which a resumed run goes on with. */
  readonly logs?: string;
  /** Rows of each model's batches. */
  readonly batchSizes?: Readonly<Record<string, number>>;
  /** The models that came to nothing while another one was kept. */
  readonly diverged?: readonly DivergedModel[];
  readonly artifacts: readonly RunArtifact[];
  readonly error?: { readonly code: string; readonly message: string };
}

/** Where a model's loss or weights became no finite number. */
export interface DivergedModel {
  readonly model: string;
  readonly step: number;
  readonly epoch: number;
  readonly learningRate: number;
  /** The node of the training graph that made it, where it was found. */
  readonly node?: string;
}

/** Something that a run left behind. */
export interface RunArtifact {
  readonly kind: "bundle" | "checkpoints";
  readonly path: string;
  /** A bundle's version: two bundles of one version predict the same. */
  readonly version?: string;
}

/** Numbers at one time of a run. */
export interface RunPoint {
  /** Whose: "network", "linear". */
  readonly series: string;
  readonly epoch: number;
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

/** Keeps run records. */
export interface RunStore {
  /** Writes a record, in place of an earlier one of its id. @throws FILE_UNREADABLE when it cannot */
  save(record: RunRecord): Promise<void>;
  /** Adds numbers to a run's history. */
  log(id: string, points: readonly RunPoint[]): Promise<void>;
  /** @param id or the start of one @throws RUN_NOT_FOUND, also when several ids start so */
  get(id: string): Promise<RunRecord>;
  /** Newest first. */
  list(): Promise<readonly RunRecord[]>;
  /** Series after series, each by epochs; of an epoch that was logged twice (a run was killed and resumed) the later one. @throws RUN_NOT_FOUND */
  history(id: string): Promise<readonly RunPoint[]>;
}
