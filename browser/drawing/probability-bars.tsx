import type { JSX } from "preact";

/** A classifier's answer. */
export interface ProbabilityBarsProps {
  readonly classes: readonly string[];
  /** One a class, summing to 1; undefined before there is an answer. */
  readonly probabilities: ArrayLike<number> | undefined;
}

/** One bar a class, the most probable marked. */
export function ProbabilityBars({ classes, probabilities }: ProbabilityBarsProps): JSX.Element {
  const best = probabilities === undefined ? -1 : largest(probabilities);
  return (
    <ul class="bars" aria-label="Probability of each class">
      {classes.map((name, i) => {
        const share = probabilities?.[i] ?? 0;
        return (
          <li key={name} class={i === best ? "best" : ""}>
            <span class="name">{name}</span>
            <span class="track" aria-hidden="true">
              <span class="fill" style={{ width: `${(share * 100).toFixed(1)}%` }} />
            </span>
            <span class="value">{probabilities === undefined ? "–" : `${(share * 100).toFixed(share > 0.995 || share < 0.005 ? 0 : 1)}%`}</span>
          </li>
        );
      })}
    </ul>
  );
}

/** The index of the largest number. */
export function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  return best;
}
