/**
 * Runs work that Ctrl-C (or SIGTERM) stops: the first one asks it to stop cleanly, a second one ends the process.
 *
 * @param work gets the signal; it must return or throw soon after
 */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write("\nstopping after the step under way; press Ctrl-C again to stop at once\n");
    controller.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}
