import { readFile } from "node:fs/promises";
import {
  columnsFromRows,
  createBundle,
  encodeBundle,
  exampleRow,
  inputFields,
  rowObject,
  trainTable,
  transformFeatures,
  type Backend,
  type Columns,
  type InputField,
} from "../../core/index.ts";
import { openReference } from "../../backends/reference/index.ts";
import type { ServedModel } from "../edge/served-model.ts";

const columns: readonly InputField[] = [
  ...["Beak Length (mm)", "Beak Depth (mm)", "Flipper Length (mm)", "Body Mass (g)"].map(
    (name) => ({ name, kind: "number", shape: [], optional: true }) as const,
  ),
  ...["Species", "Island", "Sex"].map((name) => ({ name, kind: "string", shape: [], optional: true }) as const),
  // Every penguin has a number: a column that no row may leave out.
  { name: "Number", kind: "number", shape: [], optional: true },
];

/** Trains on Palmer's penguins (numbers, categories, missing values) with the reference backend. */
export async function trainServedModel(): Promise<ServedModel> {
  const file = new URL("../../node_modules/vega-datasets/data/penguins.json", import.meta.url);
  const records = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>[]; // a list of flat records
  for (const [i, record] of records.entries()) record["Number"] = (i * 37) % 100;
  const table: Columns = columnsFromRows(records, columns);
  const backend = openReference();
  const { best, table: prepared } = await trainTable(table, { target: "Species", seed: 1, backend, model: "network", epochs: 8 });
  const bundle = createBundle({
    name: "penguins",
    model: best.model,
    features: prepared.features,
    target: prepared.target,
    inputs: inputFields(prepared.features, prepared.profile),
    example: exampleRow(prepared.features, prepared.parts.train),
    metrics: best.test,
    lineage: { seed: 1, data: { fingerprint: "0", rows: records.length, source: "penguins.json" } },
    environment: {},
    createdAt: "2026-01-01T00:00:00.000Z",
  });
  const test = prepared.parts.test;
  const logits = await logitsOf(backend, best.model, transformFeatures(prepared.features, test));
  return {
    manifest: bundle.manifest,
    bundle: Buffer.from(await encodeBundle(bundle)).toString("base64"),
    rows: Array.from({ length: test.length }, (_, row) => rowObject(test, row)),
    ...softmax(logits, test.length),
  };
}

/** The trained graph run as training's evaluation runs it: no bundle, no predictor. */
async function logitsOf(
  backend: Backend,
  model: Parameters<typeof createBundle>[0]["model"],
  features: ReturnType<typeof transformFeatures>,
): Promise<Float32Array> {
  const executable = await backend.compile(model.graph, { state: model.state });
  const { logits } = await executable.run(features);
  await executable.dispose();
  return logits?.data as Float32Array; // a classifier's output
}

function softmax(logits: Float32Array, rows: number): { labels: number[]; probabilities: number[] } {
  const width = logits.length / rows;
  const labels: number[] = [];
  const probabilities: number[] = [];
  for (let row = 0; row < rows; row++) {
    const scores = [...logits.subarray(row * width, (row + 1) * width)];
    const most = Math.max(...scores);
    const sum = scores.reduce((total, score) => total + Math.exp(score - most), 0);
    labels.push(scores.indexOf(most));
    probabilities.push(...scores.map((score) => Math.exp(score - most) / sum));
  }
  return { labels, probabilities };
}
