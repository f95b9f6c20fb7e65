/** Time, injected so that tests decide it. */
export interface Clock {
  /** Milliseconds from any fixed point, never going back. */
  now(): number;
}

/** The platform's monotonic clock. In an edge worker it only moves when the worker waits for something. */
export const platformClock: Clock = { now: () => performance.now() };
