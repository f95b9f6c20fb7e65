import type { JSX } from "preact";
import { AnswerPanel } from "./answer-panel.tsx";
import { DrawingInput, drawnImage } from "./drawing-input.tsx";
import { chosenImage, PictureInput } from "./picture-input.tsx";
import { RowForm } from "./row-form.tsx";
import type { ModelCard } from "./served-model.ts";
import type { TryOut } from "./try-out.ts";

/** The whole page: which model, what to ask, what it answers, how to call it. */
export function App({ tryOut }: { readonly tryOut: TryOut }): JSX.Element {
  const card = tryOut.card.value;
  return (
    <>
      <header>
        <p class="brand">
          <Mark /> Espalier
        </p>
        <nav aria-label="Pages of this server">
          <a href="docs">Docs</a>
          <a href="metrics">Metrics</a>
          <a href="demos/digits/">Train in the browser</a>
        </nav>
      </header>
      {tryOut.models.value.length > 1 && <ModelChoice tryOut={tryOut} />}
      {tryOut.error.value !== undefined && <p class="error">That did not work: {tryOut.error.value}</p>}
      {card !== undefined && <Model key={card.name} card={card} tryOut={tryOut} />}
    </>
  );
}

function ModelChoice({ tryOut }: { readonly tryOut: TryOut }): JSX.Element {
  return (
    <p class="choice">
      <label for="model">Model</label>
      <select id="model" onChange={(event) => tryOut.choose(event.currentTarget.value)}>
        {tryOut.models.value.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </p>
  );
}

function Model({ card, tryOut }: { readonly card: ModelCard; readonly tryOut: TryOut }): JSX.Element {
  const image = drawnImage(card);
  return (
    <>
      <h1>{card.name}</h1>
      <p class="lead">
        Predicts <strong>{card.target.column}</strong> from {card.inputs.length === 1 ? "one input" : `${card.inputs.length} inputs`} ·{" "}
        {card.parameters.toLocaleString("en")} parameters · on {card.backend}
        {Object.entries(card.metrics)
          .slice(0, 3)
          .map(([name, value]) => ` · ${name} ${Number(value.toPrecision(4))}`)}
      </p>
      <main>
        <section class="panel" aria-labelledby="ask-title">
          <h2 id="ask-title">{image === undefined ? "Ask it" : "Draw"}</h2>
          <Question card={card} tryOut={tryOut} />
        </section>
        <AnswerPanel card={card} tryOut={tryOut} />
      </main>
    </>
  );
}

/** A canvas, a picture or a form: what suits the model's inputs. */
function Question({ card, tryOut }: { readonly card: ModelCard; readonly tryOut: TryOut }): JSX.Element {
  const drawn = drawnImage(card);
  if (drawn !== undefined) return <DrawingInput image={drawn} row={tryOut.row} />;
  const chosen = chosenImage(card);
  return chosen === undefined ? <RowForm card={card} row={tryOut.row} /> : <PictureInput image={chosen} row={tryOut.row} />;
}

function Mark(): JSX.Element {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
      <path
        d="M16 31V3M16 24c-7 0-11-3-11-9M16 24c7 0 11-3 11-9M16 15c-4 0-7-2-7-6M16 15c4 0 7-2 7-6"
        fill="none"
        stroke="currentColor"
        stroke-width="3"
        stroke-linecap="round"
      />
    </svg>
  );
}
