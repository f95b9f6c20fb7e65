import type { Model } from "../../models/model.ts";
import type { Tensors } from "../../tensor.ts";
import type { StopReason, TrainingEvent } from "../event.ts";

/** What a callback remembers over a break: plain JSON. Numbers that are not finite survive too. */
export type CallbackState = { readonly [field: string]: CallbackValue };

/** A value of a callback's state. */
export type CallbackValue = string | number | boolean | CallbackState | readonly CallbackValue[];

/** The run that a callback follows. */
export interface CallbackRun {
  readonly model: Model;
  /** What `state` gave to the checkpoint that the run goes on from; undefined in a new run. */
  readonly restored: CallbackState | undefined;
  /** Names of the numbers that an epoch's record will have: what can be monitored. */
  readonly numbers: readonly string[];
  /** Copies of parameters and running statistics as they are now. */
  readWeights(): Promise<Tensors>;
  /**
   * Ends training after the step or epoch under way.
   *
   * @param why for people
   * @param reason what `fit` returns as its reason; default "stopped"
   */
  stop(why: string, reason?: StopReason): void;
}

/** One kind of event. */
export type EventOf<Kind extends TrainingEvent["kind"]> = Extract<TrainingEvent, { kind: Kind }>;

/**
 * Follows a run, and may end it: early stopping, log files, progress. Training waits for promises that it returns; what it throws ends training.
 *
 * `onStart` begins anew or from `run.restored`, so that one object serves several runs, one after the other.
 *
 * @example
 * const stopAfterAnHour: Callback = { name: "hour", onStep: (_event, run) => { if (clock() > limit) run.stop("an hour is over"); } };
 */
export interface Callback {
  /** Unique among a run's callbacks: a checkpoint keeps its state under it. */
  readonly name: string;
  onStart?(event: EventOf<"start">, run: CallbackRun): void | Promise<void>;
  onStep?(event: EventOf<"step">, run: CallbackRun): void | Promise<void>;
  onEpoch?(event: EventOf<"epoch">, run: CallbackRun): void | Promise<void>;
  onCheckpoint?(event: EventOf<"checkpoint">, run: CallbackRun): void | Promise<void>;
  /** After the last event, and when training failed: files are closed here. @param event undefined after a failure */
  onEnd?(event: EventOf<"stopped"> | undefined, run: CallbackRun): void | Promise<void>;
  /** What a checkpoint keeps of it: plain JSON; anything else ends training when a checkpoint is due. */
  state?(): CallbackState;
}
