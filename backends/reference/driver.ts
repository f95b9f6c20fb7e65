import type { BackendDriver } from "../../core/index.ts";
import { openReference } from "./backend.ts";

/** The door of the reference backend: it is always there. */
export const referenceDriver: BackendDriver = {
  name: "reference",
  probe: async () => ({ available: true, device: "JavaScript, one thread", software: false }),
  open: async () => openReference(),
};
