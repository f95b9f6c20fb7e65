/** What a bench has measured. */
export interface BenchResult {
  /** `<what> vs <peer>` to how many times ours is better: the median over the rounds. */
  readonly ratios: Readonly<Record<string, number>>;
  /** The ratios' quartiles, under the same names. */
  readonly spread: Readonly<Record<string, readonly [lower: number, upper: number]>>;
  /** What was compared before timing, and how near the outputs were; also absolute figures worth keeping. */
  readonly checks: Readonly<Record<string, unknown>>;
}

/** What a bench is run with. */
export interface BenchContext {
  /** Prints a line for people; with --json it goes to stderr. */
  readonly log: (line: string) => void;
  /** What was asked besides, as `--name=value`. */
  readonly flags: ReadonlyMap<string, string>;
}

/** One file `<name>.bench.ts` exports one as `bench`. */
export interface Bench {
  readonly name: string;
  readonly description: string;
  /** Throws when outputs differ: a number is only reported when its correctness was checked in the same run. */
  run(context: BenchContext): Promise<BenchResult>;
}

/** Refuses to go on when a check failed. */
export function requireCheck(holds: boolean, message: string): void {
  if (!holds) throw new Error(`check failed: ${message}`);
}
