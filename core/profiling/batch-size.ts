import type { Backend } from "../backend.ts";
import { EspalierError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { Tensors } from "../tensor.ts";
import { estimateMemory } from "./memory.ts";

/** What a batch size is chosen for. */
export interface BatchSizeOptions {
  readonly backend: Backend;
  /** A training step. */
  readonly graph: Graph;
  /** Its state; what is missing is zero. */
  readonly state?: Tensors;
  /** Feeds of so many rows: the contents do not matter, but must be such as the graph takes. */
  readonly feeds: (rows: number) => Tensors;
  /** Bytes that a step may take. */
  readonly memoryBytes: number;
  /** Milliseconds. */
  readonly clock: () => number;
  /** No larger than this; default 4096. */
  readonly most?: number;
  /** A size is worth it when it does this many times the rows a second of the one before; default 1.1. */
  readonly leastGain?: number;
}

/** A batch size and how it was found. */
export interface ChosenBatchSize {
  readonly batchSize: number;
  /** What was tried, in its order. */
  readonly tried: readonly { readonly batchSize: number; readonly rowsPerSecond: number; readonly memoryBytes: number }[];
  /** Why the next size was not taken. */
  readonly limit: "memory" | "speed" | "most";
}

/** What the largest batch is sought for. */
export interface LargestBatchSizeOptions extends Pick<BatchSizeOptions, "graph" | "memoryBytes" | "most"> {
  /** Bytes that are taken beside the graph's own. Default 0. */
  readonly reservedBytes?: number;
}

/** The largest batch that fits. */
export interface LargestBatchSize {
  readonly batchSize: number;
  /** What its step needs, by the estimate. */
  readonly memoryBytes: number;
  /** Why the next size was not taken. */
  readonly limit: "memory" | "most";
}

/** ONNX Runtime took 2.3 times the estimate for convolutional networks of 64 to 512 rows: backends/onnxruntime/testing/peak-memory.ts. */
const safety = 2.5;

/**
 * The largest power of two whose step fits into memory by the estimate alone: nothing is run, so that it is the same on every machine.
 *
 * @throws ARGUMENT_INVALID for a budget that not even one row fits into
 */
export function largestBatchSize({ graph, memoryBytes, most = 4096, reservedBytes = 0 }: LargestBatchSizeOptions): LargestBatchSize {
  let found: Omit<LargestBatchSize, "limit"> | undefined;
  for (let batchSize = 1; found === undefined || batchSize <= most; batchSize *= 2) {
    const bytes = bytesOf(graph, batchSize) + reservedBytes;
    if (bytes > memoryBytes) {
      if (found === undefined) throw tooLittle(bytes, memoryBytes);
      return { ...found, limit: "memory" };
    }
    found = { batchSize, memoryBytes: bytes };
  }
  return { ...found, limit: "most" };
}

function bytesOf(graph: Graph, batch: number): number {
  return safety * estimateMemory(graph, { batch }).total;
}

function tooLittle(bytes: number, memoryBytes: number): EspalierError {
  const message = `a step of one row needs about ${Math.ceil(bytes)} bytes; there are ${memoryBytes}; allow more, or make the model or its inputs smaller`;
  return new EspalierError("ARGUMENT_INVALID", message, { bytes, memoryBytes });
}

/** A measured time shorter than this says little. */
const measuredMs = 30;

/**
 * The largest power of two whose step fits into memory and still does more rows a second than the one before by a tenth.
 *
 * The weights that training starts with are not touched: the steps are made on a copy.
 *
 * @throws ARGUMENT_INVALID for a budget that not even one row fits into; what compiling and running throw
 */
export async function chooseBatchSize(options: BatchSizeOptions): Promise<ChosenBatchSize> {
  const { backend, graph, state = {}, memoryBytes, most = 4096, leastGain = 1.1 } = options;
  const tried: { batchSize: number; rowsPerSecond: number; memoryBytes: number }[] = [];
  const executable = await backend.compile(graph, { state });
  try {
    for (let batchSize = 1; ; batchSize *= 2) {
      const last = tried.at(-1);
      if (batchSize > most && last !== undefined) return { batchSize: last.batchSize, tried, limit: "most" };
      const bytes = bytesOf(graph, batchSize);
      if (bytes > memoryBytes) {
        if (last !== undefined) return { batchSize: last.batchSize, tried, limit: "memory" };
        throw tooLittle(bytes, memoryBytes);
      }
      const rowsPerSecond = await measure(executable.run.bind(executable), { ...options, batchSize });
      if (last !== undefined && rowsPerSecond < leastGain * last.rowsPerSecond) {
        return { batchSize: last.batchSize, tried: [...tried, { batchSize, rowsPerSecond, memoryBytes: bytes }], limit: "speed" };
      }
      tried.push({ batchSize, rowsPerSecond, memoryBytes: bytes });
    }
  } finally {
    await executable.dispose();
  }
}

/** Rows a second of some steps, the first of which is not counted: it compiles. */
async function measure(
  run: (feeds: Tensors) => Promise<Tensors>,
  { feeds, clock, batchSize }: Pick<BatchSizeOptions, "feeds" | "clock"> & { readonly batchSize: number },
): Promise<number> {
  const batch = feeds(batchSize);
  await run(batch);
  let best = 0;
  let spent = 0;
  for (let step = 0; step < 3 || (spent < measuredMs && step < 50); step += 1) {
    const start = clock();
    await run(batch);
    const elapsed = Math.max(clock() - start, 1e-3);
    spent += elapsed;
    best = Math.max(best, (1000 * batchSize) / elapsed); // the fastest step is the least disturbed one
  }
  return best;
}
