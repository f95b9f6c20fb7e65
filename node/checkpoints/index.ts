export { fileCheckpoints, type FileCheckpoints, type FileCheckpointsOptions } from "./file-store.ts";
