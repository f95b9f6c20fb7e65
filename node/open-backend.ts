import { chooseBackend, type ChosenBackend } from "../core/index.ts";
import { nodeBackends } from "./backends.ts";

/**
 * Opens a backend of Node by name, or with "auto" the first that works here.
 *
 * @throws as `chooseBackend`
 */
export async function openNodeBackend(name: string): Promise<ChosenBackend> {
  return await chooseBackend({ drivers: nodeBackends, name });
}
