import { EspalierError, type Columns, type InputField, type Manifest, type Predictions, type Predictor } from "../../core/index.ts";

/** What a scripted predictor can be told. */
export interface ScriptedPredictorOptions {
  readonly name?: string;
  readonly version?: string;
  readonly inputs?: readonly InputField[];
  readonly target?: Manifest["target"];
  readonly example?: Readonly<Record<string, unknown>>;
  /** Awaited before every run. */
  readonly beforeRun?: (rows: Columns) => Promise<void>;
}

/** A predictor whose answers are known by hand: the scores of a row come from `scoreRow` alone. It keeps the batches that it saw. */
export interface ScriptedPredictor extends Predictor {
  readonly batches: readonly Columns[];
  readonly disposed: boolean;
}

/** Two numbers (one of which rows may leave out) and a category, for one of three classes. */
export const scriptedInputs: readonly InputField[] = [
  { name: "width", kind: "number", shape: [], optional: false, range: [0, 10] },
  { name: "height", kind: "number", shape: [], optional: true, range: [-5, 5] },
  { name: "colour", kind: "string", shape: [], optional: false, categories: ["red", "blue"] },
];

/**
 * A stand-in where a test is about the server and not about models.
 *
 * Classification: label = round(score) mod classes, with probability 0.5 for it and the rest shared. Regression: the score.
 */
export function createScriptedPredictor(options: ScriptedPredictorOptions = {}): ScriptedPredictor {
  const { name = "shapes", version = "0123456789abcdef", inputs = scriptedInputs, beforeRun } = options;
  const { target = { task: "classification", column: "shape", classes: ["circle", "square", "star"], numeric: false } } = options;
  const { example = { width: 2, height: 1, colour: "red" } } = options;
  const batches: Columns[] = [];
  let disposed = false;
  return {
    manifest: manifestOf({ name, version, inputs, target, example }),
    backend: "scripted",
    batches,
    get disposed() {
      return disposed;
    },
    predict: async (rows) => {
      if (disposed) throw new EspalierError("INTERNAL", "predict after dispose");
      batches.push(rows);
      await beforeRun?.(rows);
      return answer(rows, target);
    },
    dispose: async () => {
      disposed = true;
    },
  };
}

/** The sum of a row's numbers (missing: 100), of the lengths of its strings (missing: 10), and of its tensors' elements times their place. */
export function scoreRow(rows: Columns, row: number): number {
  let score = 0;
  for (const column of rows.columns.values()) {
    if (column.kind === "number") {
      const value = column.values[row] ?? Number.NaN;
      score += Number.isNaN(value) ? 100 : value;
    } else if (column.kind === "string") score += column.dictionary[column.codes[row] ?? -1]?.length ?? 10;
    else {
      const width = column.shape.reduce((product, size) => product * size, 1);
      for (let i = 0; i < width; i++) score += (column.values[row * width + i] ?? 0) * (i + 1);
    }
  }
  return score;
}

function answer(rows: Columns, target: Manifest["target"]): Predictions {
  const scores = Array.from({ length: rows.length }, (_, row) => scoreRow(rows, row));
  if (target.task === "regression") return { task: "regression", values: Float64Array.from(scores) };
  const { classes } = target;
  const labels = Int32Array.from(scores, (score) => Math.abs(Math.round(score)) % classes.length);
  const probabilities = new Float32Array(rows.length * classes.length).fill(0.5 / (classes.length - 1));
  for (const [row, label] of labels.entries()) probabilities[row * classes.length + label] = 0.5;
  for (const [row, score] of scores.entries()) if (!Number.isFinite(score)) probabilities[row * classes.length] = Number.NaN;
  return { task: "classification", classes, labels, probabilities };
}

function manifestOf(parts: Pick<Manifest, "name" | "version" | "inputs" | "target" | "example">): Manifest {
  return {
    format: "espalier-bundle",
    formatVersion: 1,
    ...parts,
    createdAt: "2026-01-01T00:00:00.000Z",
    model: { name: "scripted" },
    graph: {},
    features: { features: [] },
    metrics: { accuracy: 0.5 },
    lineage: { seed: 0, data: { fingerprint: "0", rows: 4, source: "none" } },
    environment: {},
    tensors: {},
    digest: "0".repeat(64),
  };
}
