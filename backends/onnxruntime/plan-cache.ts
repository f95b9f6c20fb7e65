import { createHash } from "node:crypto";
import { serialize } from "node:v8";
import type { Graph } from "../../core/index.ts";
import type { Plan } from "./plan.ts";

/** Plans kept, of any graphs and batch sizes: several trainings' full and last batches and their evaluations. A step of ResNet-50 keeps 2 MB. */
const maxPlans = 16;

/** Graphs that bring more bytes in constants are planned anew: the plan would keep them. */
const maxConstantBytes = 2 ** 20;

/** What a graph comes to, ready to be loaded again. */
export interface CachedPlan {
  readonly plan: Plan;
  /** The plan's model as ONNX Runtime loads it, once it has been loaded. */
  model?: LoadableModel;
}

/** The bytes of an ONNX model. */
export interface LoadableModel {
  readonly bytes: Uint8Array;
  /** Whether ONNX Runtime wrote it after its own optimizations, which need not be repeated. */
  readonly isOptimized: boolean;
}

/** What graphs were planned to, the last used at the end: the same graph compiled again is neither lowered nor optimized again. */
export class PlanCache {
  readonly #plans = new Map<string, CachedPlan>();

  /**
   * @param key `graphKey` and whatever else the plan depends on; undefined for what is not kept
   * @param make plans it anew
   */
  get(key: string | undefined, make: () => Plan): CachedPlan {
    const found = (key === undefined ? undefined : this.#plans.get(key)) ?? { plan: make() };
    if (key === undefined) return found;
    this.#plans.delete(key);
    this.#plans.set(key, found);
    const [oldest] = this.#plans.keys();
    if (this.#plans.size > maxPlans && oldest !== undefined) this.#plans.delete(oldest);
    return found;
  }

  /** Whether a graph has been planned, for any batch size. */
  hasGraph(key: string): boolean {
    return [...this.#plans.keys()].some((known) => known.startsWith(key));
  }
}

/**
 * The SHA-256 of everything in a graph, its names too: graphs with one key have one plan. A graph that was copied may have another key than its original.
 *
 * Core's `hashGraph` tells what is computed, whatever the names are, and takes 20 ms for ResNet-50's step; this takes 2.
 * @returns undefined for graphs that are not worth keeping
 */
export function graphKey(graph: Graph): string | undefined {
  const bytes = Object.values(graph.constants).reduce((sum, { data }) => sum + (ArrayBuffer.isView(data) ? data.byteLength : Infinity), 0);
  return bytes > maxConstantBytes ? undefined : createHash("sha256").update(serialize(graph)).digest("hex");
}
