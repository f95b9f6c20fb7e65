import type { Backend } from "../../core/index.ts";

/** One behaviour that every backend must show. Throws when it does not. Runs under any test runner, in Node, in a page and in a worker. */
export interface ConformanceCase {
  /** Unique; skips name it. */
  readonly name: string;
  /** The operator it is about, for the support table; undefined for cases about whole graphs. */
  readonly operator?: string;
  readonly run: (backend: Backend, reference: Backend) => Promise<void>;
}

/** Cases that a backend does not pass, with the reason that the support table prints. */
export type Skips = Readonly<Record<string, string>>;
