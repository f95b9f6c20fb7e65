import type { JSX } from "preact";
import { ProbabilityBars } from "../drawing/probability-bars.tsx";
import { predictAddress, type Answer, type ModelCard } from "./served-model.ts";
import type { TryOut } from "./try-out.ts";

/** The answer to what is asked at the moment, and the request that gave it. */
export function AnswerPanel({ card, tryOut }: { readonly card: ModelCard; readonly tryOut: TryOut }): JSX.Element {
  const answer = tryOut.answer.value;
  const classes = card.target.task === "classification" ? card.target.classes : [];
  return (
    <section class="panel" aria-labelledby="answer-title">
      <h2 id="answer-title">Answer</h2>
      <Verdict answer={answer} column={card.target.column} />
      {classes.length > 0 && classes.length <= 50 && (
        <ProbabilityBars classes={classes} probabilities={answer?.kind === "class" ? answer.probabilities : undefined} />
      )}
      <details>
        <summary>The same from your own program</summary>
        <pre>{curl(card)}</pre>
      </details>
    </section>
  );
}

function Verdict({ answer, column }: { readonly answer: Answer | undefined; readonly column: string }): JSX.Element {
  if (answer === undefined) return <p class="verdict unknown">?</p>;
  switch (answer.kind) {
    case "refused":
      return (
        <p class="error" role="status">
          {answer.message}
        </p>
      );
    case "class":
    case "forecast":
    case "value":
      return (
        <p class="verdict" role="status">
          <small>{column}</small>
          <strong>{textOf(answer)}</strong>
          <small>answered in {answer.milliseconds.toFixed(0)} ms</small>
        </p>
      );
    default:
      return answer satisfies never;
  }
}

function textOf(answer: Exclude<Answer, { kind: "refused" }>): string {
  const short = (value: number): string => Number(value.toPrecision(6)).toLocaleString("en", { maximumSignificantDigits: 6 });
  if (answer.kind === "class") return answer.name;
  return answer.kind === "value" ? short(answer.value) : answer.values.map(short).join(", ");
}

function curl(card: ModelCard): string {
  const address = new URL(predictAddress(card), location.href).href;
  return `curl ${address} \\\n  -H 'content-type: application/json' \\\n  -d '${JSON.stringify({ instances: [card.example] }).replaceAll("'", String.raw`'\''`)}'`;
}
