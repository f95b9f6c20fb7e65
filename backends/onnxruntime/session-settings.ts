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
 * Threads that wait for work spin for 0.05 ms before they sleep. In two threads, the model of the training bench's MLP (without its optimizer) took 1.8 ms so
 * and with 0.2 ms of spinning, and 2.2 to 2.4 with 0.02 ms and with threads that sleep at once; kernels of our own, for which other threads wake, took
 * MobileNetV2 161 to 178 ms with 0.2 ms and 137 to 148 with 0.02. The default, which spins on, costs most where other processes want the cores.
 */
export const sessionConfig: Readonly<Record<string, string>> = {
  "session.intra_op.allow_spinning": "1",
  "session.intra_op.spin_duration_us": "50",
};
