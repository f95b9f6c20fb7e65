export { type RunArtifact, type RunPoint, type RunRecord, type RunStatus, type RunStore } from "./run-record.ts";
