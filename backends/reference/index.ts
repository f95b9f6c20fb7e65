export { openReference } from "./backend.ts";
export { referenceDriver } from "./driver.ts";
