import { EspalierError } from "../../errors.ts";
import type { Model } from "../../models/model.ts";
import { tensor, toNumbers, type Tensor, type Tensors } from "../../tensor.ts";
import { skippedUpdates } from "../loss-scaling.ts";
import type { Optimizer } from "./optimizer.ts";

/** Where a run stands whose optimizer has `ema`: a checkpoint, or a training executable's state and steps. */
export interface AveragedState {
  /** Parameters, statistics and slots. */
  readonly state: Tensors;
  /** Updates of the parameters done: a checkpoint's `updates`; of a training executable without accumulated gradients its steps. */
  readonly updates: number;
  readonly optimizer: Optimizer;
}

/**
 * The model with the exponential moving average of its weights, for evaluating and keeping in place of the last ones.
 *
 * The average of update t is momentum times that of update t - 1 plus (1 - momentum) times the weights; that of update 1 is the weights, as in Keras.
 *
 * @throws ARGUMENT_INVALID when the optimizer has no `ema`; CHECKPOINT_INVALID when the state lacks the model's
 * @example const averaged = averagedWeights(model, { ...checkpoint, optimizer });
 */
export function averagedWeights<M extends Pick<Model, "graph" | "state">>(model: M, { state, updates, optimizer }: AveragedState): M {
  const momentum = optimizer.config["ema"];
  if (typeof momentum !== "number") {
    throw new EspalierError("ARGUMENT_INVALID", `averagedWeights: ${optimizer.name} keeps no averages; give it ema, such as 0.999`, {
      optimizer: optimizer.name,
    });
  }
  const done = updates - skippedUpdates(state); // those that moved the parameters
  const averaged = model.graph.state.map(({ name }) => {
    const weights = state[name];
    if (weights === undefined) {
      throw new EspalierError("CHECKPOINT_INVALID", `averagedWeights: the state lacks "${name}" of "${model.graph.name}"; use a checkpoint of it`, {
        state: name,
      });
    }
    const average = state[`ema/${name}`]; // what is frozen has none
    return [name, average === undefined || done <= 1 ? weights : mixed(average, weights, momentum)];
  });
  return { ...model, state: Object.fromEntries(averaged) };
}

/** The slot is the average up to the step before: see `createOptimizer`. */
function mixed(average: Tensor, weights: Tensor, momentum: number): Tensor {
  const before = toNumbers(average);
  const last = toNumbers(weights);
  return tensor(
    weights.dtype,
    weights.shape,
    before.map((value, i) => momentum * value + (1 - momentum) * (last[i] as number)), // both have the parameter's shape
  );
}
