export { fileCheckpoints } from "./file-store.ts";
