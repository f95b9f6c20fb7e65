import { EspalierError } from "../errors.ts";
import type { Dataset, DatasetIterator, DatasetState } from "./dataset.ts";

/** What one kind of iterator does; the rest of the protocol is the same for all. */
export interface IteratorParts<T> {
  /** The next item, undefined at the end. */
  readonly next: () => Promise<T | undefined> | T | undefined;
  readonly state: () => DatasetState;
  /** Frees what the pass holds open; called once, at the end, on a failure or when the reader stops early. */
  readonly close?: () => Promise<void> | void;
}

/** One pass as `for await` and `state()` need it. */
export function datasetIterator<T>({ next, state, close }: IteratorParts<T>): DatasetIterator<T> {
  let open = true;
  const finish = async (): Promise<void> => {
    if (!open) return;
    open = false;
    await close?.();
  };
  return {
    async next() {
      if (!open) return { done: true, value: undefined };
      try {
        const value = await next();
        if (value !== undefined) return { done: false, value };
      } catch (error) {
        await finish();
        throw error;
      }
      await finish();
      return { done: true, value: undefined };
    },
    async return() {
      await finish();
      return { done: true, value: undefined };
    },
    state,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** A data set from the function that starts a pass. */
export function dataset<T>(rows: number | undefined, iterate: (state?: DatasetState) => DatasetIterator<T>): Dataset<T> {
  return { rows, iterate, [Symbol.asyncIterator]: () => iterate() };
}

/** A whole number from 0 in a state. @throws CHECKPOINT_INVALID when it is not there: the state is another data set's */
export function readCount(state: DatasetState, field: string): number {
  const value = state[field];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrongState(state, field, "a whole number");
}

/** A state inside a state. @throws CHECKPOINT_INVALID when it is not there */
export function readState(state: DatasetState, field: string): DatasetState {
  const value = state[field];
  if (isState(value)) return value;
  throw wrongState(state, field, "a state");
}

/** A list of states inside a state. @throws CHECKPOINT_INVALID when it is not there */
export function readStates(state: DatasetState, field: string): readonly DatasetState[] {
  const value = state[field];
  if (Array.isArray(value)) return value as readonly DatasetState[]; // the type allows no other lists
  throw wrongState(state, field, "a list of states");
}

function isState(value: DatasetState[string] | undefined): value is DatasetState {
  return typeof value === "object" && !Array.isArray(value);
}

function wrongState(state: DatasetState, field: string, wanted: string): EspalierError {
  return new EspalierError(
    "CHECKPOINT_INVALID",
    `this state belongs to another data set: it has no "${field}" (${wanted}): ${JSON.stringify(state)}`,
    { field },
  );
}
