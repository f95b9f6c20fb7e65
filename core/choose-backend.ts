import type { Availability, Backend, BackendDriver } from "./backend.ts";
import { EspalierError } from "./errors.ts";
import { suggestNames } from "./nearest.ts";
import { selfTest } from "./self-test.ts";

/** The backend that was chosen, and why. */
export interface ChosenBackend {
  readonly backend: Backend;
  /** One line for people: "onnxruntime on AVX-512 CPU, 2 threads (the first that works here)". */
  readonly reason: string;
  /** Those that were passed over, and why, in the order in which they were considered. */
  readonly passedOver: readonly { readonly name: string; readonly reason: string }[];
}

/** What to choose from. */
export interface ChooseBackendOptions {
  /** Best first. */
  readonly drivers: readonly BackendDriver[];
  /** "auto", or the name of the only one that will do. Default "auto". */
  readonly name?: string;
  /** Refuses a backend that computes wrongly. Default `selfTest`. */
  readonly test?: (backend: Backend) => Promise<void>;
}

/**
 * Opens the first backend that is there and computes rightly; one on a software adapter comes after all others, as emulated graphics are slower than a
 * CPU backend. A backend that was asked for by name is opened or refused: nothing takes its place.
 *
 * @throws ARGUMENT_INVALID for a name that no driver has; BACKEND_UNAVAILABLE with what to install; BACKEND_SELF_TEST_FAILED for a named one that
 *   computes wrongly
 */
export async function chooseBackend({ drivers, name = "auto", test = selfTest }: ChooseBackendOptions): Promise<ChosenBackend> {
  if (name !== "auto") return { backend: await openNamed(name, { drivers, test }), reason: `${name}, as asked`, passedOver: [] };
  const passedOver: { name: string; reason: string }[] = [];
  const software: BackendDriver[] = [];
  const tried = async (driver: BackendDriver): Promise<ChosenBackend | undefined> => {
    try {
      const backend = await openTested(driver, test);
      const others = passedOver.map((other) => `${other.name}: ${other.reason}`).join("; ");
      return { backend, reason: `${driver.name} on ${backend.device} (${others === "" ? "the first that works here" : others})`, passedOver };
    } catch (error) {
      // The next one is tried; why this one was not taken is part of the answer.
      passedOver.push({ name: driver.name, reason: messageOf(error) });
      return undefined;
    }
  };
  for (const driver of drivers) {
    const found = await probe(driver);
    if (!found.available) passedOver.push({ name: driver.name, reason: found.reason });
    else if (found.software) {
      passedOver.push({ name: driver.name, reason: `${found.device} is a software adapter` });
      software.push(driver);
    } else {
      const chosen = await tried(driver);
      if (chosen !== undefined) return chosen;
    }
  }
  for (const driver of software) {
    const chosen = await tried(driver);
    if (chosen !== undefined) return chosen;
  }
  throw new EspalierError("BACKEND_UNAVAILABLE", `no backend works here: ${passedOver.map((other) => `${other.name}: ${other.reason}`).join("; ")}`, {
    passedOver,
  });
}

async function openNamed(name: string, { drivers, test }: Required<Pick<ChooseBackendOptions, "drivers" | "test">>): Promise<Backend> {
  const driver = drivers.find((item) => item.name === name);
  if (driver === undefined) {
    throw new EspalierError("ARGUMENT_INVALID", `no backend "${name}"${suggestNames(name, ["auto", ...drivers.map((item) => item.name)])}`, {
      backend: name,
    });
  }
  const found = await driver.probe();
  if (!found.available)
    throw new EspalierError("BACKEND_UNAVAILABLE", `backend ${name} cannot work here: ${found.reason}; ${found.install}`, { backend: name });
  return openTested(driver, test);
}

async function openTested(driver: BackendDriver, test: (backend: Backend) => Promise<void>): Promise<Backend> {
  const backend = await driver.open();
  try {
    await test(backend);
    return backend;
  } catch (error) {
    await backend.dispose();
    throw error;
  }
}

async function probe(driver: BackendDriver): Promise<Availability> {
  try {
    return await driver.probe();
  } catch (error) {
    return { available: false, reason: `asking for it failed: ${messageOf(error)}`, install: "" };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
