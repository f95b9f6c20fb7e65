import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tensor, type Checkpoint } from "../../core/index.ts";
import { fileCheckpoints } from "./file-store.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-checkpoints-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The id of a process that has ended. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "close");
  return child.pid ?? expect.fail("it did not start");
}

function checkpointAt(step: number): Checkpoint {
  const progress = { loss: 1, terms: {}, weight: 8, rows: 8, batches: 1, learningRate: 0.1 };
  return {
    graphHash: "00",
    seed: 0,
    step,
    updates: step,
    pending: { batches: 0, weight: 0 },
    epoch: 1,
    position: { position: 8 },
    progress,
    history: [],
    state: { w: tensor("float32", [2], [step, 1]) },
    best: undefined,
    callbacks: {},
  };
}

test("an empty or missing folder has no checkpoint", async () => {
  expect(await fileCheckpoints(join(folder, "nothing")).load("last")).toBeUndefined();
});

test("keeps the last and the best, and makes its folder", async () => {
  const store = fileCheckpoints(join(folder, "a", "b"));
  expect(await store.save(checkpointAt(1), { best: true })).toBe(join(folder, "a", "b", "last.safetensors"));
  await store.save(checkpointAt(2), { best: false });
  expect(await store.load("last")).toEqual(checkpointAt(2));
  expect(await store.load("best")).toEqual(checkpointAt(1));
  expect((await readdir(join(folder, "a", "b"))).toSorted()).toEqual(["best.safetensors", "last.safetensors"]); // nothing half-written stays
});

test("a kill while a file was being written leaves the one before, whole", async () => {
  await fileCheckpoints(folder).save(checkpointAt(1), { best: false });
  const draft = join(folder, `.last.safetensors.${await deadProcess()}-00000000.draft`); // as a killed process leaves it
  await writeFile(draft, (await readFile(join(folder, "last.safetensors"))).subarray(0, 40));
  const store = fileCheckpoints(folder);
  expect(await store.load("last")).toEqual(checkpointAt(1));
  await store.save(checkpointAt(2), { best: false });
  expect(await store.load("last")).toEqual(checkpointAt(2));
  expect(await readdir(folder)).toEqual(["last.safetensors"]);
});

test("what a living process is writing, and what is no checkpoint's, is left alone", async () => {
  const names = [`.last.safetensors.${process.ppid}-00000000.draft`, `.notes.txt.${await deadProcess()}-00000000.draft`];
  for (const name of names) await writeFile(join(folder, name), "");
  await fileCheckpoints(folder).save(checkpointAt(1), { best: false });
  expect((await readdir(folder)).toSorted()).toEqual([...names, "last.safetensors"].toSorted());
});

test("of two stores that save into one folder at once each file is one's or the other's, whole", async () => {
  const stores = [fileCheckpoints(folder, { retain: 2 }), fileCheckpoints(folder, { retain: 2 })];
  for (let round = 1; round <= 10; round++) {
    await Promise.all(stores.map((store, i) => store.save(checkpointAt(10 * round + i), { best: i === 1 })));
    expect([10 * round, 10 * round + 1]).toContain((await stores[0]!.load("last"))?.step);
    expect((await stores[1]!.load("best"))?.step).toBeGreaterThanOrEqual(10 * round);
  }
});

test("a truncated file is refused by its path", async () => {
  const store = fileCheckpoints(folder);
  const path = await store.save(checkpointAt(1), { best: false });
  await truncate(path, 100);
  await expect(store.load("last")).rejects.toMatchObject({ code: "CHECKPOINT_INVALID", message: expect.stringContaining(path) });
});

test.skipIf(process.getuid?.() === 0)("a folder that cannot be written is an error with its path", async () => {
  await chmod(folder, 0o500);
  await expect(fileCheckpoints(folder).save(checkpointAt(1), { best: false })).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
});

test("a file in the folder's place is an error with the path", async () => {
  await writeFile(join(folder, "taken"), "");
  await expect(fileCheckpoints(join(folder, "taken")).save(checkpointAt(1), { best: false })).rejects.toMatchObject({
    code: "FILE_UNREADABLE",
    message: expect.stringContaining(join(folder, "taken", "last.safetensors")),
  });
});

test("the newest stay under their steps when asked for, older ones go", async () => {
  const store = fileCheckpoints(folder, { retain: 2 });
  for (const step of [10, 20, 30, 40]) await store.save(checkpointAt(step), { best: step === 20 });
  expect(await store.steps()).toEqual([30, 40]);
  expect(await store.load(30)).toEqual(checkpointAt(30));
  expect(await store.load(10)).toBeUndefined();
  expect(await store.load("best")).toEqual(checkpointAt(20));
  expect(await store.load("last")).toEqual(checkpointAt(40));
  expect((await readdir(folder)).toSorted()).toEqual([
    "best.safetensors",
    "last.safetensors",
    "step-000000030.safetensors",
    "step-000000040.safetensors",
  ]);
  const all = fileCheckpoints(join(folder, "all"), { retain: Infinity });
  for (const step of [1, 2, 3]) await all.save(checkpointAt(step), { best: false });
  expect(await all.steps()).toEqual([1, 2, 3]);
  expect(await fileCheckpoints(join(folder, "none")).steps()).toEqual([]);
  expect(() => fileCheckpoints(folder, { retain: -1 })).toThrow(/retain must be a whole number from 0, not -1/);
});
