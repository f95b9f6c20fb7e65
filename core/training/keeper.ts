import type { Tensors } from "../tensor.ts";
import type { Callbacks } from "./callbacks/dispatch.ts";
import type { Checkpoint, Standing } from "./checkpoint.ts";
import type { FitOptions } from "./fit-options.ts";
import type { Run } from "./run.ts";

/** The last state that was looked at and found good, and what was done since: enough to do it again. */
export interface GoodState {
  readonly checkpoint: Checkpoint;
  /** The learning rate of each step since. */
  readonly rates: number[];
}

/** Keeps what a run can go on from: in memory, and in the store when there is one. */
export interface Keeper {
  readonly good: GoodState | undefined;
  /** The last place that the store named. */
  readonly location: string | undefined;
  /** Whether the run's state is wanted now, in the midst of an epoch. */
  isDue(): boolean;
  /** Whether it is wanted at an epoch's end, be it the best or not. */
  readonly wantsEpochs: boolean;
  /** Whether it is wanted when training ends: when there is a store that does not have it yet. */
  wantsEnd(): boolean;
  /** Notes a step. */
  stepped(learningRate: number): void;
  /** Keeps the run as it stands. @param state all of it, finite @param best whether its weights are the best so far */
  keep(state: Tensors, options: { readonly best: boolean }): Promise<void>;
  /** Writes the good state into the store where it is not there yet. */
  saveGood(): Promise<void>;
}

/** What a keeper keeps, and of which run. */
export interface KeeperOptions extends Pick<FitOptions, "checkpoints" | "checkpointEvery" | "anomalies"> {
  readonly graphHash: string;
  readonly callbacks: Callbacks;
}

/** Steps that may have to be done again to find an operator that made a NaN. A copy of the state costs about as much as a step. */
const rememberEvery = 500;

/** Opens the keeper of a run. */
export function openKeeper(run: Run, options: KeeperOptions): Keeper {
  const { checkpoints, checkpointEvery = Infinity, anomalies = true, graphHash, callbacks } = options;
  let good: GoodState | undefined;
  let saved: { readonly step: number; readonly epoch: number; readonly location: string } | undefined;
  const isSaveDue = (): boolean => run.at.step % checkpointEvery === 0;
  const isSaved = ({ step, epoch }: Standing): boolean => saved?.step === step && saved.epoch === epoch;
  const save = async (checkpoint: Checkpoint, best: boolean): Promise<void> => {
    const { step, epoch } = checkpoint;
    if (checkpoints === undefined || isSaved(checkpoint)) return;
    const location = await checkpoints.save(checkpoint, { best });
    saved = { step, epoch, location };
    await callbacks.tell({ kind: "checkpoint", step, epoch, location });
  };
  return {
    get good() {
      return good;
    },
    get location() {
      return saved?.location;
    },
    wantsEpochs: checkpoints !== undefined || anomalies,
    wantsEnd: () => checkpoints !== undefined && !isSaved(run.at),
    isDue: () => (checkpoints !== undefined && isSaveDue()) || (good !== undefined && good.rates.length >= rememberEvery),
    stepped: (learningRate) => good?.rates.push(learningRate),
    async keep(state, { best }) {
      const { seed, batchSize } = run.plan;
      const size = batchSize && { batchSize: batchSize.rows };
      const checkpoint: Checkpoint = { ...run.at, graphHash, seed, ...size, state, callbacks: callbacks.states() };
      if (anomalies) good = { checkpoint, rates: [] };
      await save(checkpoint, best);
    },
    async saveGood() {
      if (good !== undefined) await save(good.checkpoint, false);
    },
  };
}
