import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import * as models from "../../models/index.ts";
import { modelNames } from "./index.ts";

test("docs/networks.md names every network of --model, and no function that there is not", async () => {
  const text = await readFile(new URL("../../../docs/networks.md", import.meta.url), "utf8");
  const rows = text.split("\n").filter((line) => line.startsWith("| ") && line.includes("`"));
  const cells = rows.slice(1).map((row) => row.split("|").map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? "")));
  const functions = cells.flatMap((row) => row[2] ?? []);
  expect(functions.length).toBeGreaterThan(20);
  for (const name of functions) expect(models).toHaveProperty(name);
  const names = cells.flatMap((row) => row[3] ?? []);
  expect(names.toSorted()).toEqual(modelNames.filter((name) => name !== "auto" && name !== "network").toSorted());
});
