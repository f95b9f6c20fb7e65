import type { JSX } from "preact";
import { confusionMatrix } from "../../../core/index.ts";
import type { HeldOut } from "../../training/messages.ts";
import type { Demo } from "./demo.ts";

/** Which digit is taken for which, on the held-out rows. */
export function ConfusionMatrix({ demo }: { readonly demo: Demo }): JSX.Element {
  const heldOut = demo.heldOut.value;
  return (
    <section class="panel confusion" aria-labelledby="confusion-title">
      <h2 id="confusion-title">Confusion matrix</h2>
      {heldOut === undefined ? <p class="empty">Rows are the true digits, columns what the network takes them for.</p> : <Matrix heldOut={heldOut} />}
    </section>
  );
}

function Matrix({ heldOut }: { readonly heldOut: HeldOut }): JSX.Element {
  const { classes } = heldOut.answers;
  const counts = confusionMatrix(heldOut.answers, heldOut.truth);
  return (
    <table>
      <caption>Rows: the true digit. Columns: what the network takes it for.</caption>
      <thead>
        <tr>
          <td />
          {classes.map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {classes.map((name, truth) => {
          const row = counts[truth] ?? [];
          const total = row.reduce((a, b) => a + b, 0);
          return (
            <tr key={name}>
              <th scope="row">{name}</th>
              {row.map((count, guess) => (
                <td
                  key={classes[guess]}
                  class={count === 0 ? "none" : guess === truth ? "right" : "wrong"}
                  style={count === 0 ? {} : { "--share": (count / Math.max(1, total)).toFixed(3) }}
                >
                  {count === 0 ? "·" : count}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
