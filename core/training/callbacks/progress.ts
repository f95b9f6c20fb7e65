import type { Callback } from "./callback.ts";

/** Where and how often progress is told. */
export interface ProgressOptions {
  /** Takes one line without its end: `console.log`. */
  readonly write: (line: string) => void;
  /** Epochs between two lines. Default 1. */
  readonly everyEpochs?: number;
}

/**
 * A line for every epoch, with losses, metrics, speed and remaining time: `epoch 3/10  loss 0.2143  validation.loss 0.2377  12034 rows/s  ETA 41 s`.
 *
 * Rate and time need `fit`'s clock.
 *
 * @example fit({ ..., clock: () => performance.now(), callbacks: [progress({ write: console.log })] })
 */
export function progress({ write, everyEpochs = 1 }: ProgressOptions): Callback {
  let speed = "";
  return {
    name: "progress",
    onStart({ backend, device, parameters, epochs, step }) {
      write(`${parameters} parameters, ${epochs} epochs on ${backend} (${device})${step > 0 ? `, from step ${step}` : ""}`);
    },
    onStep({ rowsPerSecond, remainingMs }) {
      const rate = rowsPerSecond === undefined ? "" : `  ${Math.round(rowsPerSecond)} rows/s`;
      speed = `${rate}${remainingMs === undefined ? "" : `  ETA ${Math.ceil(remainingMs / 1000)} s`}`;
    },
    onEpoch({ record, epochs }) {
      if (record.epoch % everyEpochs !== 0 && record.epoch !== epochs) return;
      const parts = Object.entries(record.losses ?? {}).map(([name, value]) => `  loss/${name} ${short(value)}`);
      const validated = Object.entries(record.validation ?? {}).map(([name, value]) => `  validation.${name} ${short(value)}`);
      write(`epoch ${record.epoch}/${epochs}  loss ${short(record.loss)}${parts.join("")}${validated.join("")}${speed}`);
    },
    onEnd(event) {
      if (event !== undefined) write(`${event.why ?? event.reason} after epoch ${event.epoch}; the best was epoch ${event.bestEpoch}`);
    },
  };
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
