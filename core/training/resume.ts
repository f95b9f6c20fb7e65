import { EspalierError } from "../errors.ts";
import { formatShape, type StateValue } from "../graph/graph.ts";
import type { Model } from "../models/model.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** What a checkpoint must match. */
export interface RunIdentity {
  /** Everything that the step's graphs keep. */
  readonly state: readonly StateValue[];
  readonly graphHash: string;
  readonly seed: number;
}

/** Where a new run stands: the model's weights; slots are missing, which stands for zeros. */
export function newCheckpoint(model: Model, { graphHash, seed }: RunIdentity): Checkpoint {
  return {
    graphHash,
    seed,
    step: 0,
    updates: 0,
    pending: { batches: 0, weight: 0 },
    epoch: 1,
    position: undefined,
    progress: { loss: 0, terms: {}, weight: 0, rows: 0, batches: 0, learningRate: 0 },
    history: [],
    state: model.state,
    best: undefined,
    callbacks: {},
  };
}

/**
 * A checkpoint that this run may go on from.
 *
 * @throws CHECKPOINT_INVALID when it is of another model, loss, optimizer or seed, or lacks a state value
 */
export function resumeFrom(checkpoint: Checkpoint, { state, graphHash, seed }: RunIdentity): Checkpoint {
  if (checkpoint.graphHash !== graphHash) {
    throw invalid(
      `the checkpoint is of another training graph (${short(checkpoint.graphHash)}, this one is ${short(graphHash)}): its model, loss, optimizer or precision differs; ` +
        "resume with those it was made with, or start anew",
    );
  }
  if (checkpoint.seed !== seed)
    throw invalid(`the checkpoint was made with seed ${checkpoint.seed}, this run has seed ${seed}; resume with that seed`);
  for (const { name, dtype, shape } of state) {
    const found = checkpoint.state[name];
    if (found?.dtype === dtype && formatShape(found.shape) === formatShape(shape)) continue;
    const what = found === undefined ? "nothing" : `${found.dtype} ${formatShape(found.shape)}`;
    throw invalid(`the checkpoint has ${what} for "${name}", the training graph needs ${dtype} ${formatShape(shape)}; use another checkpoint`);
  }
  return checkpoint;
}

function short(hash: string): string {
  return hash.slice(0, 12);
}

function invalid(message: string): EspalierError {
  return new EspalierError("CHECKPOINT_INVALID", `fit: ${message}`);
}
