import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { skips } from "./skips.ts";
import { caseCounts, renderTable } from "./support-table.ts";
import { tableBackends } from "./table-backends.ts";

test("docs/backends.md says what the backends have and skip now", async () => {
  const written = await readFile(new URL("../../docs/backends.md", import.meta.url), "utf8");
  expect(written, "stale: run npm run backends:table and commit docs/backends.md").toBe(renderTable(await tableBackends(), skips));
});

test("every operator is in a graph that the conformance suite tries", () => {
  const untried = [...caseCounts()].filter(([, count]) => count === 0).map(([name]) => name);
  expect(untried).toEqual([]);
});
