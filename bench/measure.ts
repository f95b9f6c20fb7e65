/** Two things that do the same work. */
export interface Contest {
  readonly ours: () => Promise<unknown>;
  readonly peer: () => Promise<unknown>;
}

/** How long a contest goes on. */
export interface ContestOptions {
  /** Rounds; each times both, in changing order. */
  readonly rounds?: number;
  /** Repetitions inside a round. */
  readonly ourRepeats?: number;
  readonly peerRepeats?: number;
  /** Untimed repetitions of both before the first round. */
  readonly warmUp?: number;
}

/** What came of a contest. */
export interface ContestResult {
  /** The peer's time over ours: the median over the rounds. */
  readonly ratio: number;
  readonly quartiles: readonly [lower: number, upper: number];
  /** Medians of one repetition. */
  readonly oursMs: number;
  readonly peerMs: number;
}

/**
 * Times both interleaved, so that a busy machine slows both alike.
 *
 * The ratio is formed within each round, and the median taken over the rounds.
 */
export async function contest({ ours, peer }: Contest, options: ContestOptions = {}): Promise<ContestResult> {
  const { rounds = 15, ourRepeats = 10, peerRepeats = 3, warmUp = 3 } = options;
  for (let i = 0; i < warmUp; i += 1) {
    await ours();
    await peer();
  }
  const times: { readonly ours: number; readonly peer: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const first = round % 2 === 0 ? await time(ours, ourRepeats) : await time(peer, peerRepeats);
    const second = round % 2 === 0 ? await time(peer, peerRepeats) : await time(ours, ourRepeats);
    times.push(round % 2 === 0 ? { ours: first, peer: second } : { ours: second, peer: first });
  }
  const ratios = times.map((round) => round.peer / round.ours);
  return {
    ratio: quantile(ratios, 0.5),
    quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    oursMs: quantile(
      times.map((round) => round.ours),
      0.5,
    ),
    peerMs: quantile(
      times.map((round) => round.peer),
      0.5,
    ),
  };
}

/** Milliseconds of one repetition. */
async function time(work: () => Promise<unknown>, repeats: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < repeats; i += 1) await work(); // one after the other: that is what is timed
  return (performance.now() - start) / repeats;
}

/** The value below which a share of the values lies, interpolated. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}
