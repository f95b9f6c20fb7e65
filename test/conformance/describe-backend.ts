import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend, BackendDriver } from "../../core/index.ts";
import { openReference } from "../../backends/reference/index.ts";
import type { Skips } from "./case.ts";
import { conformanceCases } from "./cases.ts";

/** What a backend's test file may say. */
export interface DescribeBackendOptions {
  /** Cases that fail for a reason outside our power; the reason shows in docs/backends.md. */
  readonly skip?: Skips;
  /** Whether the machine may lack the backend: then its cases are skipped with the reason. Otherwise absence is a failure. */
  readonly mayBeAbsent?: boolean;
  /** Memory that the backend holds after all cases, counted before it is disposed; must be 0. */
  readonly countLeft?: () => number | undefined;
}

/** Runs every conformance case on a backend under vitest. */
export function describeBackend(driver: BackendDriver, { skip = {}, mayBeAbsent = false, countLeft }: DescribeBackendOptions = {}): void {
  const cases = conformanceCases();
  describe(`conformance of ${driver.name}`, () => {
    const reference = openReference();
    let backend: Backend | undefined;
    let absent = "";

    beforeAll(async () => {
      const availability = await driver.probe();
      if (availability.available) backend = await driver.open();
      else absent = `${availability.reason}; ${availability.install}`;
      if (backend === undefined && !mayBeAbsent) throw new Error(`${driver.name} is not available here: ${absent}`);
    });
    afterAll(async () => {
      await backend?.dispose();
    });

    test("every skipped case exists and has a reason", () => {
      const names = new Set(cases.map(({ name }) => name));
      expect(names.size, "case names are unique").toBe(cases.length);
      expect(Object.keys(skip).filter((name) => !names.has(name))).toEqual([]);
      expect(Object.values(skip).filter((reason) => reason.length < 10)).toEqual([]);
    });

    const titled = cases.map(({ name, run }) => [skip[name] === undefined ? name : `${name} (skipped: ${skip[name]})`, name, run] as const);
    test.for(titled)("%s", async ([, name, run], context) => {
      const reason = skip[name] ?? (backend === undefined ? `not available here: ${absent}` : undefined);
      if (backend === undefined || reason !== undefined) context.skip(reason);
      else await expect(run(backend, reference)).resolves.toBeUndefined();
    });

    test.runIf(countLeft !== undefined)("all of that left no memory on the device", () => {
      expect(countLeft?.()).toBe(0);
    });
  });
}
