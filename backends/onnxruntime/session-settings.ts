/** How sessions run. */
export interface SessionSettings {
  /** Threads inside one operator; ONNX Runtime's choice (one for each physical core) at 0. */
  readonly threads: number;
  /** Writes a profile of the session's runs into a file whose path begins so. */
  readonly profilePrefix?: string;
}

/**
 * ONNX Runtime's configuration entries of every session.
 * Waiting threads sleep: spinning ones took up to a quarter off a step of a quiet machine and doubled it on a busy one.
 */
export const sessionConfig: Readonly<Record<string, string>> = { "session.intra_op.allow_spinning": "0" };
