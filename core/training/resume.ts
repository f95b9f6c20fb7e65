import { EspalierError } from "../errors.ts";
import { formatShape, type StateValue } from "../graph/graph.ts";
import type { Model } from "../models/model.ts";
import type { Tensors } from "../tensor.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** What a checkpoint must match. */
export interface RunIdentity {
  /** Everything that the step's graphs keep. */
  readonly state: readonly StateValue[];
  /** The part of it that is the model's: what the best weights are of. */
  readonly modelState: readonly StateValue[];
  readonly graphHash: string;
  readonly seed: number;
}

/** Where a new run stands: the model's weights; slots are missing, which stands for zeros. */
export function newCheckpoint(model: Model, { graphHash, seed }: Pick<RunIdentity, "graphHash" | "seed">): Checkpoint {
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
export function resumeFrom(checkpoint: Checkpoint, { state, modelState, graphHash, seed }: RunIdentity): Checkpoint {
  if (checkpoint.graphHash !== graphHash) {
    throw invalid(
      `the checkpoint is of another training graph (${short(checkpoint.graphHash)}, this one is ${short(graphHash)}): its model, loss, optimizer, precision or the release of Espalier differs; ` +
        "resume with those it was made with, or start anew",
    );
  }
  if (checkpoint.seed !== seed)
    throw invalid(`the checkpoint was made with seed ${checkpoint.seed}, this run has seed ${seed}; resume with that seed`);
  checkState(checkpoint.state, { values: state, what: "" });
  if (checkpoint.best !== undefined) checkState(checkpoint.best.state, { values: modelState, what: " among its best weights" });
  return checkpoint;
}

function checkState(found: Tensors, { values, what }: { readonly values: readonly StateValue[]; readonly what: string }): void {
  for (const { name, dtype, shape } of values) {
    const value = found[name];
    if (value?.dtype === dtype && formatShape(value.shape) === formatShape(shape)) continue;
    const held = value === undefined ? "nothing" : `${value.dtype} ${formatShape(value.shape)}`;
    throw invalid(`the checkpoint has ${held} for "${name}"${what}, the training graph needs ${dtype} ${formatShape(shape)}; use another checkpoint`);
  }
}

function short(hash: string): string {
  return hash.slice(0, 12);
}

function invalid(message: string): EspalierError {
  return new EspalierError("CHECKPOINT_INVALID", `fit: ${message}`);
}
