import type { FittedFeature, FittedTarget, InputField } from "../../core/index.ts";

/** What the server tells of a model: its manifest without graph and weights. */
export interface ModelCard {
  readonly name: string;
  readonly version: string;
  readonly backend: string;
  readonly parameters: number;
  readonly inputs: readonly InputField[];
  readonly example: Readonly<Record<string, unknown>>;
  readonly features: { readonly features: readonly FittedFeature[] };
  readonly target: FittedTarget;
  readonly metrics: Readonly<Record<string, number>>;
}

/** The server's answer for one row. */
export type Answer =
  | { readonly kind: "class"; readonly name: string; readonly probabilities: readonly number[]; readonly milliseconds: number }
  | { readonly kind: "value"; readonly value: number; readonly milliseconds: number }
  | { readonly kind: "forecast"; readonly values: readonly number[]; readonly milliseconds: number }
  | { readonly kind: "refused"; readonly message: string };

/** A row as a request sends it. */
export type Row = Readonly<Record<string, unknown>>;

/** The names of the models that the server has, each once. @throws Error when the server does not answer */
export async function listModels(): Promise<readonly string[]> {
  const { models } = (await readJson("models")) as { models: readonly { name: string }[] }; // our own server's route
  return [...new Set(models.map(({ name }) => name))];
}

/** @throws Error when the server does not answer */
export async function readCard(name: string): Promise<ModelCard> {
  return (await readJson(`models/${encodeURIComponent(name)}/card`)) as ModelCard; // our own server's route
}

/** Where one row is predicted. */
export function predictAddress({ name, version }: ModelCard): string {
  return `v1/models/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}:predict`;
}

/** Asks the served model about one row. */
export async function predictRow(card: ModelCard, row: Row): Promise<Answer> {
  const started = performance.now();
  const response = await fetch(predictAddress(card), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ instances: [row] }),
  });
  const body: unknown = await response.json();
  const milliseconds = performance.now() - started;
  if (!response.ok) return { kind: "refused", message: (body as { error?: string }).error ?? response.statusText }; // V1 fails with {error}
  const [prediction] = (
    body as { predictions: readonly (number | readonly number[] | { prediction: string | number; probabilities: Record<string, number> })[] }
  ).predictions; // V1's answer in row form
  if (prediction === undefined) return { kind: "refused", message: "the server gave no prediction" };
  if (typeof prediction === "number") return { kind: "value", value: prediction, milliseconds };
  if (!("prediction" in prediction)) return { kind: "forecast", values: prediction, milliseconds };
  const classes = card.target.task === "classification" ? card.target.classes : [];
  const probabilities = classes.map((name) => prediction.probabilities[name] ?? 0);
  return { kind: "class", name: String(prediction.prediction), probabilities, milliseconds };
}

async function readJson(path: string): Promise<unknown> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`the server answered ${response.status} for ${path}`);
  return await response.json();
}
