import { EspalierError, suggestNames, type Backend, type BackendDriver } from "../core/index.ts";
import { nodeBackends } from "./backends.ts";

/** The backend that was opened, and why it was chosen: one line for people. */
export interface OpenedBackend {
  readonly backend: Backend;
  readonly reason: string;
}

/**
 * Opens a backend of Node by name, or with "auto" the first that works here.
 *
 * @throws ARGUMENT_INVALID for an unknown name; BACKEND_UNAVAILABLE with what to install when the named one, or none, can work here
 */
export async function openNodeBackend(name: string, drivers: readonly BackendDriver[] = nodeBackends): Promise<OpenedBackend> {
  if (name !== "auto") return { backend: await openNamed(name, drivers), reason: `${name}, as asked` };
  const passedOver: string[] = [];
  for (const driver of drivers) {
    const found = await driver.probe();
    if (!found.available) {
      passedOver.push(`${driver.name}: ${found.reason}`);
      continue;
    }
    const because = passedOver.length === 0 ? "the fastest that works here" : passedOver.join("; ");
    return { backend: await driver.open(), reason: `${driver.name} on ${found.device} (${because})` };
  }
  throw new EspalierError("BACKEND_UNAVAILABLE", `no backend works here: ${passedOver.join("; ")}`, { passedOver });
}

async function openNamed(name: string, drivers: readonly BackendDriver[]): Promise<Backend> {
  const driver = drivers.find((item) => item.name === name);
  if (driver === undefined) {
    throw new EspalierError("ARGUMENT_INVALID", `no backend "${name}"${suggestNames(name, ["auto", ...drivers.map((item) => item.name)])}`, {
      backend: name,
    });
  }
  const found = await driver.probe();
  if (!found.available)
    throw new EspalierError("BACKEND_UNAVAILABLE", `backend ${name} cannot work here: ${found.reason}; ${found.install}`, { backend: name });
  return driver.open();
}
