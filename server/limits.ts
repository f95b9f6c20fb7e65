import { EspalierError } from "../core/index.ts";

/** Bounds that keep one server answering, whatever it is sent. */
export interface ServerLimits {
  /** The size of a request body in bytes, after decompression. */
  readonly maxBodyBytes: number;
  /** Rows in one request. */
  readonly maxRows: number;
  /** Rows that one run of a model takes at most: its activations must fit into memory. Longer requests run in slices. */
  readonly maxBatchRows: number;
  /** Requests that wait while a model is busy; the next one is answered 503. */
  readonly maxQueuedRequests: number;
  /** Numbers and strings that waiting requests hold together; the next request is answered 503. */
  readonly maxQueuedValues: number;
}

/** Node: 64 MB is Triton's and TensorFlow Serving's usual body limit. */
export const defaultLimits: ServerLimits = {
  maxBodyBytes: 64 * 2 ** 20,
  maxRows: 100_000,
  maxBatchRows: 1024,
  maxQueuedRequests: 1024,
  maxQueuedValues: 16 * 2 ** 20,
};

/** An edge worker has 128 MB for everything, and JSON takes about ten times its size while it is parsed. */
export const edgeLimits: ServerLimits = {
  maxBodyBytes: 4 * 2 ** 20,
  maxRows: 10_000,
  maxBatchRows: 256,
  maxQueuedRequests: 256,
  maxQueuedValues: 2 ** 20,
};

/** Fills in defaults. @throws ARGUMENT_INVALID when a limit is not a whole number from 1 */
export function resolveLimits(limits: Partial<ServerLimits> = {}, defaults: ServerLimits = defaultLimits): ServerLimits {
  const resolved = { ...defaults, ...limits };
  for (const [name, value] of Object.entries(resolved)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new EspalierError("ARGUMENT_INVALID", `limits.${name} must be a whole number from 1, not ${String(value)}`, { name, value });
    }
  }
  return resolved;
}
