import { effect, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { listModels, predictRow, readCard, type Answer, type ModelCard, type Row } from "./served-model.ts";

/** The page's state, and what a person can do. */
export interface TryOut {
  readonly models: ReadonlySignal<readonly string[]>;
  readonly card: ReadonlySignal<ModelCard | undefined>;
  /** What is asked; undefined while there is nothing to ask, such as an empty canvas. */
  readonly row: Signal<Row | undefined>;
  readonly answer: ReadonlySignal<Answer | undefined>;
  readonly error: ReadonlySignal<string | undefined>;
  readonly choose: (name: string) => void;
}

/** Reads the server's models and asks the chosen one again whenever the row changes; an answer that was overtaken is dropped. */
export function createTryOut(): TryOut {
  const models = signal<readonly string[]>([]);
  const card = signal<ModelCard | undefined>(undefined);
  const row = signal<Row | undefined>(undefined);
  const answer = signal<Answer | undefined>(undefined);
  const error = signal<string | undefined>(undefined);
  const fail = (cause: unknown): void => {
    error.value = messageOf(cause);
  };

  const choose = (name: string): void => {
    card.value = undefined;
    row.value = undefined;
    readCard(name).then((found) => {
      card.value = found;
      document.title = `${found.name} · Espalier`;
    }, fail);
  };

  // One question at a time: while the server thinks, only the newest of those that came up is kept.
  let asking = false;
  const ask = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    for (;;) {
      const [asked, model] = [row.value, card.value];
      if (asked === undefined || model === undefined) break;
      const found = await predictRow(model, asked).catch((cause: unknown): Answer => ({ kind: "refused", message: messageOf(cause) }));
      if (asked !== row.value || model !== card.value) continue;
      answer.value = found;
      break;
    }
    asking = false;
  };
  effect(() => {
    if (row.value === undefined || card.value === undefined) answer.value = undefined;
    else void ask();
  });

  listModels().then((names) => {
    models.value = names;
    const [first] = names;
    if (first === undefined) error.value = "this server has no models";
    else choose(first);
  }, fail);

  return { models, card, row, answer, error, choose };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
