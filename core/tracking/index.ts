export { type DivergedModel, type RunArtifact, type RunPoint, type RunRecord, type RunStatus, type RunStore } from "./run-record.ts";
export { crc32c, maskedCrc32c } from "./crc32c.ts";
export { encodeEventRecord, histogramOf, type EventRecord, type Histogram } from "./event-record.ts";
