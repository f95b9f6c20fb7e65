import type { JSX } from "preact";
import { ConfusionMatrix } from "./confusion-matrix.tsx";
import type { Demo } from "./demo.ts";
import { DrawPanel } from "./draw-panel.tsx";
import { SamplePredictions } from "./sample-predictions.tsx";
import { TrainingPanel } from "./training-panel.tsx";

/** The whole page. */
export function App({ demo }: { readonly demo: Demo }): JSX.Element {
  return (
    <>
      <header>
        <p class="brand">
          <Mark /> Espalier
        </p>
        <h1>Train a digit reader in this tab</h1>
        <p class="lead">
          A small convolutional network learns 1,797 handwritten digits here, on your own machine. Nothing leaves it. Draw a digit at any time and
          watch the network learn to read it.
        </p>
      </header>
      <main>
        <TrainingPanel demo={demo} />
        <DrawPanel demo={demo} />
        <SamplePredictions demo={demo} />
        <ConfusionMatrix demo={demo} />
      </main>
      <footer>
        Digits: E. Alpaydin, C. Kaynak, <cite>Optical Recognition of Handwritten Digits</cite>, UCI Machine Learning Repository, CC BY 4.0.
      </footer>
    </>
  );
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
