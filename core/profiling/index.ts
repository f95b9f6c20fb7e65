export {
  chooseBatchSize,
  largestBatchSize,
  type BatchSizeOptions,
  type ChosenBatchSize,
  type LargestBatchSize,
  type LargestBatchSizeOptions,
} from "./batch-size.ts";
export { countFlops, nodeFlops, type FlopsReport } from "./flops.ts";
export { estimateMemory, type MemoryEstimate } from "./memory.ts";
export { phasesOf, type Phase } from "./phase.ts";
export { profile, type Profile, type ProfileOptions, type ProfileRow, type TimelineEntry } from "./profile.ts";
export { bytesText, chromeTrace, formatProfile } from "./report.ts";
export { batchOf, type BoundTypes } from "./sizes.ts";
