import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { onceOnly } from "./finished-runs.ts";

test("a run that a file knows is not done again; another one is, and one that failed leaves nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "espalier-runs-"));
  const file = join(folder, "runs.jsonl");
  const done: string[] = [];
  const run = (name: string) => (): Promise<readonly number[]> => {
    done.push(name);
    return name === "broken" ? Promise.reject(new Error("broken")) : Promise.resolve([done.length, 0.1 + 0.2]);
  };
  try {
    await expect(onceOnly(file, { seed: 3 }, run("broken"))).rejects.toThrow("broken");
    const first = await onceOnly(file, { seed: 0, recipe: { epochs: 2 } }, run("first"));
    expect(await onceOnly(file, { seed: 0, recipe: { epochs: 2 } }, run("again"))).toEqual(first);
    await onceOnly(file, { seed: 0, recipe: { epochs: 3 } }, run("longer"));
    expect(done).toEqual(["broken", "first", "longer"]);
    expect((await readFile(file, "utf8")).trim().split("\n")).toHaveLength(2);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("without a file every run is done", async () => {
  let runs = 0;
  const run = (): Promise<number> => Promise.resolve((runs += 1));
  expect([await onceOnly(undefined, "same", run), await onceOnly(undefined, "same", run)]).toEqual([1, 2]);
});
