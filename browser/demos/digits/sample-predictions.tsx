import type { JSX } from "preact";
import type { HeldOut } from "../../training/messages.ts";
import { PixelImage } from "../../drawing/pixel-image.tsx";
import type { Demo } from "./demo.ts";
import { full, imageAt, side } from "./digits-data.ts";

/** How many digits are shown. */
const count = 40;

/** Digits that training never saw, the misread ones first. */
export function SamplePredictions({ demo }: { readonly demo: Demo }): JSX.Element {
  const heldOut = demo.heldOut.value;
  const table = demo.data.value?.table;
  return (
    <section class="panel samples" aria-labelledby="samples-title">
      <h2 id="samples-title">Digits it never saw</h2>
      {heldOut === undefined || table === undefined ? (
        <p class="empty">After the first epoch, held-out digits appear here with what the network takes them for, the misread ones first.</p>
      ) : (
        <ul>
          {samples(heldOut).map(({ place, guess, truth }) => {
            const right = guess === truth;
            const label = right
              ? `A ${heldOut.answers.classes[truth]}, read correctly`
              : `A ${heldOut.answers.classes[truth]}, misread as ${heldOut.answers.classes[guess]}`;
            return (
              <li key={place} class={right ? "right" : "wrong"}>
                <PixelImage values={imageAt(table, heldOut.rows[place] ?? 0)} height={side} width={side} full={full} label={label} />
                <span aria-hidden="true">
                  {heldOut.answers.classes[guess]}
                  {right ? "" : ` ≠ ${heldOut.answers.classes[truth]}`}
                </span>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

interface Sample {
  /** Which of the held-out rows. */
  readonly place: number;
  readonly guess: number;
  readonly truth: number;
}

function samples({ truth: labels, answers }: HeldOut): readonly Sample[] {
  const all = Array.from(labels, (truth, place): Sample => ({ place, guess: answers.labels[place] ?? 0, truth }));
  const wrong = all.filter(({ guess, truth }) => guess !== truth).slice(0, count / 2);
  const right = all.filter(({ guess, truth }) => guess === truth);
  return [...wrong, ...right].slice(0, count);
}
