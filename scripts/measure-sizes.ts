import { measureDemoSize } from "./size-demo.ts";
import { measureWorkerSize } from "./size-worker.ts";

/** One thing that is shipped, how large it is, and what it may be. */
export interface MeasuredSize {
  readonly what: string;
  readonly gzipBytes: number;
  readonly limitBytes: number;
}

/** Builds what is shipped as its users do and measures it. */
export async function measureSizes(): Promise<readonly MeasuredSize[]> {
  return [
    { what: "worker code", ...(await measureWorkerSize()) },
    { what: "digits demo before training", ...(await measureDemoSize()) },
  ];
}
