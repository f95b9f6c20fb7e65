/** Measures how fast rows go by, and lets other work have its turn. */
export interface ProgressMeter {
  /** Counts trained rows. */
  add(rows: number): void;
  /** The rate so far and the time until the last epoch's end; undefined where they cannot be known. */
  rates(at: { readonly epoch: number; readonly rows: number; readonly rowsPerEpoch: number | undefined }): {
    readonly rowsPerSecond: number | undefined;
    readonly remainingMs: number | undefined;
  };
  elapsedMs(): number | undefined;
  /** Now and then gives the event loop a turn: a signal, a timer or a click is heard even where a backend computes without ever waiting. */
  breathe(): Promise<void>;
}

/** A person notices a delay of 100 ms; a turn of the event loop costs about 1 ms. */
const breathEveryMs = 50;

/** Without a clock, by count. */
const breathEverySteps = 32;

/** @param options.clock milliseconds; without it no rates are known */
export function createProgressMeter({ clock, epochs }: { readonly clock: (() => number) | undefined; readonly epochs: number }): ProgressMeter {
  const start = clock?.();
  let trained = 0;
  let steps = 0;
  let lastBreath = start;
  const elapsedMs = (): number | undefined => (clock === undefined || start === undefined ? undefined : clock() - start);
  return {
    add: (rows) => (trained += rows),
    rates({ epoch, rows, rowsPerEpoch }) {
      const elapsed = elapsedMs();
      if (elapsed === undefined || elapsed <= 0 || trained === 0) return { rowsPerSecond: undefined, remainingMs: undefined };
      const rowsLeft = rowsPerEpoch === undefined ? undefined : (epochs - epoch + 1) * rowsPerEpoch - rows;
      return {
        rowsPerSecond: (1000 * trained) / elapsed,
        remainingMs: rowsLeft === undefined ? undefined : (Math.max(0, rowsLeft) * elapsed) / trained,
      };
    },
    elapsedMs,
    async breathe() {
      steps += 1;
      const now = clock?.();
      const due = now === undefined || lastBreath === undefined ? steps % breathEverySteps === 0 : now - lastBreath >= breathEveryMs;
      if (!due) return;
      lastBreath = now;
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
    },
  };
}
