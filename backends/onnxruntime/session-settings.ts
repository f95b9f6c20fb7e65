/** How sessions run. */
export interface SessionSettings {
  /** Threads inside one operator; ONNX Runtime's choice (one for each physical core) at 0. */
  readonly threads: number;
  /** Writes a profile of the session's runs into a file whose path begins so. */
  readonly profilePrefix?: string;
}

/**
 * ONNX Runtime's configuration entries of every session.
 *
 * Threads that wait for work spin for 0.2 ms before they sleep, which is longer than the gaps inside a step. In two threads, the model of the training
 * bench's MLP (without its optimizer) took 1.4 ms where both cores were free and 2.3 with threads that sleep at once; on a machine with five times as much
 * to do as it has cores the median was 3.7 to 5.6 against 2.4, and 7.5 with the default, which spins on.
 */
export const sessionConfig: Readonly<Record<string, string>> = {
  "session.intra_op.allow_spinning": "1",
  "session.intra_op.spin_duration_us": "200",
};
