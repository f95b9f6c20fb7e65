import type { Executable } from "../backend.ts";
import { EspalierError } from "../errors.ts";
import { Random } from "../random.ts";
import { tensor } from "../tensor.ts";

/** How tokens are drawn. */
export interface GenerateOptions {
  /** Tokens to go on from; at least one. */
  readonly prompt: readonly number[];
  /** How many tokens to add at most. */
  readonly tokens: number;
  /** Divides the logits: below 1 surer, above 1 wilder; 0 always takes the likeliest. Default 1. */
  readonly temperature?: number;
  /** Only so many of the likeliest tokens are drawn from. Default: all. */
  readonly topK?: number;
  /** Only the likeliest tokens that together have this probability are drawn from; above 0, to 1. Default 1. */
  readonly topP?: number;
  /** Ends the text. */
  readonly stop?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Told of each token as it is drawn. */
  readonly onToken?: (token: number) => void;
}

/**
 * Samples from a causal language model, token by token. Each token costs one run over all of the model's `length` places, however short the text; a text that is longer is seen by its end.
 *
 * @param executable of a model from tokens int32 [batch, length] to `logits` [batch, length, vocabulary]
 * @returns the new tokens, without the prompt; the stop token is not among them
 * @throws ARGUMENT_INVALID for options out of range or a prompt token outside the vocabulary; GRAPH_INVALID for another kind of model; CANCELLED
 * @see A. Holtzman et al., The curious case of neural text degeneration (2020), https://arxiv.org/abs/1904.09751
 */
export async function generate(executable: Executable, options: GenerateOptions): Promise<readonly number[]> {
  const { prompt, tokens: count, stop, seed = 0, signal, onToken } = options;
  const { input, length, vocabulary } = languageModel(executable);
  checkOptions(options, vocabulary);
  const random = new Random(seed);
  const text = [...prompt];
  while (text.length < prompt.length + count) {
    if (signal?.aborted === true) throw new EspalierError("CANCELLED", `generate: stopped after ${text.length - prompt.length} tokens`);
    const seen = text.slice(-length);
    const row = new Int32Array(length); // what follows the text is masked from it: any token does
    row.set(seen);
    const { logits } = await executable.run({ [input]: tensor("int32", [1, length], row) });
    const all = logits?.data as Float32Array; // its type was checked
    const scores = all.subarray((seen.length - 1) * vocabulary, seen.length * vocabulary);
    const token = draw(scores, options, random);
    if (token === stop) break;
    text.push(token);
    onToken?.(token);
  }
  return text.slice(prompt.length);
}

interface LanguageModel {
  readonly input: string;
  readonly length: number;
  readonly vocabulary: number;
}

function languageModel({ graph }: Executable): LanguageModel {
  const [input, ...others] = graph.inputs;
  const logits = graph.values[graph.outputs["logits"] ?? ""];
  const length = input?.shape[1];
  const vocabulary = logits?.shape[2];
  const fits =
    others.length === 0 && input?.dtype === "int32" && input.shape.length === 2 && logits?.dtype === "float32" && logits.shape[1] === length;
  if (input !== undefined && fits && typeof length === "number" && typeof vocabulary === "number") return { input: input.name, length, vocabulary };
  throw new EspalierError(
    "GRAPH_INVALID",
    `generate: "${graph.name}" does not go from tokens int32 [batch, length] to logits float32 [batch, length, vocabulary]; use a causalLanguageModel`,
    { graph: graph.name },
  );
}

function checkOptions({ prompt, tokens, temperature = 1, topK = 1, topP = 1 }: GenerateOptions, vocabulary: number): void {
  const refuse = (what: string): never => {
    throw new EspalierError("ARGUMENT_INVALID", `generate: ${what}`);
  };
  if (prompt.length === 0) refuse("the prompt is empty; give at least one token");
  const odd = prompt.find((token) => !Number.isSafeInteger(token) || token < 0 || token >= vocabulary);
  if (odd !== undefined) refuse(`the prompt has token ${odd}; the model's tokens are from 0 to ${vocabulary - 1}`);
  if (!Number.isSafeInteger(tokens) || tokens < 1) refuse(`tokens must be a whole number from 1, not ${tokens}`);
  if (!(temperature >= 0 && Number.isFinite(temperature))) refuse(`temperature must be a number from 0, not ${temperature}`);
  if (!Number.isSafeInteger(topK) || topK < 1) refuse(`topK must be a whole number from 1, not ${topK}`);
  if (!(topP > 0 && topP <= 1)) refuse(`topP must be above 0 and at most 1, not ${topP}`);
}

function draw(scores: Float32Array, { temperature = 1, topK = scores.length, topP = 1 }: GenerateOptions, random: Random): number {
  const ranked = Array.from(scores.keys()).toSorted((a, b) => scores[b]! - scores[a]! || a - b); // keys are inside; of equal ones the first
  if (temperature === 0) return ranked[0] ?? 0;
  const best = scores[ranked[0] ?? 0]!;
  const kept = ranked.slice(0, topK).map((token) => ({ token, weight: Math.exp((scores[token]! - best) / temperature) }));
  const total = kept.reduce((sum, { weight }) => sum + weight, 0);
  let inside = 0;
  let nucleus = 0;
  while (nucleus < kept.length && (nucleus === 0 || inside < topP * total)) inside += kept[nucleus++]!.weight;
  let left = random.uniform(0, inside);
  for (const { token, weight } of kept.slice(0, nucleus)) {
    left -= weight;
    if (left < 0) return token;
  }
  return kept[nucleus - 1]?.token ?? 0; // rounding left a rest
}
