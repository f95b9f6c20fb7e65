import { EspalierError } from "../../errors.ts";
import type { StopReason, TrainingEvent } from "../event.ts";
import type { Callback, CallbackRun, CallbackState } from "./callback.ts";

/** Why a callback ends training. */
export interface StopRequest {
  readonly reason: StopReason;
  readonly why: string;
}

/** A run's callbacks behind one door. */
export interface Callbacks {
  /** Tells all of them, in their order. */
  tell(event: TrainingEvent): Promise<void>;
  /** After a failure: lets them close what they opened. What they throw is left out, the failure is what is reported. */
  abandon(): Promise<void>;
  /** The first wish to end training. */
  stopRequest(): StopRequest | undefined;
  /** @throws ARGUMENT_INVALID for a state that is no plain JSON: a checkpoint with it could not be read */
  states(): Readonly<Record<string, CallbackState>>;
}

/**
 * Opens a run's callbacks.
 *
 * @param restored their states in the checkpoint that the run goes on from
 * @throws ARGUMENT_INVALID when two have one name
 */
export function openCallbacks(
  callbacks: readonly Callback[],
  run: Pick<CallbackRun, "model" | "numbers" | "readWeights">,
  restored: Readonly<Record<string, CallbackState>>,
): Callbacks {
  let request: StopRequest | undefined;
  const opened = callbacks.map((callback) => ({ callback, run: runOf(callback) }));
  function runOf({ name }: Callback): CallbackRun {
    return {
      ...run,
      restored: Object.hasOwn(restored, name) ? restored[name] : undefined,
      stop(why, reason = "stopped") {
        request ??= { reason, why };
      },
    };
  }
  return {
    async tell(event) {
      for (const { callback, run: own } of opened) await tellOne(callback, event, own);
    },
    async abandon() {
      for (const { callback, run: own } of opened) {
        try {
          await callback.onEnd?.(undefined, own);
        } catch {
          continue; // the failure that ended training is the one to report
        }
      }
    },
    stopRequest: () => request,
    states: () => Object.fromEntries(callbacks.flatMap((callback) => (callback.state === undefined ? [] : [[callback.name, stateOf(callback)]]))),
  };
}

function stateOf(callback: Callback): CallbackState {
  const { name } = callback;
  const found = callback.state?.() ?? {};
  const odd = oddPlace(found, "state");
  if (odd === undefined) return found;
  throw new EspalierError("ARGUMENT_INVALID", `fit: the callback "${name}" wants to remember ${odd}; its state must be an object of plain JSON`, {
    name,
  });
}

/** Where a value is that JSON would drop or change. */
function oddPlace(value: unknown, place: string, isInside = false): string | undefined {
  if (isInside && (typeof value === "string" || typeof value === "number" || typeof value === "boolean")) return undefined;
  const isList = isInside && Array.isArray(value);
  if (!isList && !isPlainObject(value)) return `${value === null ? "null" : describe(value)} as its ${place}`;
  for (const [key, inner] of Object.entries(value)) {
    const odd = oddPlace(inner, isList ? `${place}[${key}]` : `${place}.${key}`, true);
    if (odd !== undefined) return odd;
  }
  return undefined;
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null; // of any realm
}

function describe(value: unknown): string {
  return typeof value === "object" && value !== null ? value.constructor.name : typeof value;
}

/** @throws ARGUMENT_INVALID when two have one name */
export function checkCallbackNames(callbacks: readonly Callback[]): void {
  const twice = callbacks.find(({ name }, i) => callbacks.findIndex((other) => other.name === name) < i);
  if (twice === undefined) return;
  throw new EspalierError("ARGUMENT_INVALID", `fit: two callbacks are called "${twice.name}"; checkpoints keep their states by name: rename one`, {
    name: twice.name,
  });
}

function tellOne(callback: Callback, event: TrainingEvent, run: CallbackRun): void | Promise<void> {
  switch (event.kind) {
    case "start":
      return callback.onStart?.(event, run);
    case "step":
      return callback.onStep?.(event, run);
    case "epoch":
      return callback.onEpoch?.(event, run);
    case "checkpoint":
      return callback.onCheckpoint?.(event, run);
    case "stopped":
      return callback.onEnd?.(event, run);
    default:
      event satisfies never;
  }
}
