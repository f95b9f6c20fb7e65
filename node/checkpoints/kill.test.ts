import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Random, toNumbers } from "../../core/index.ts";
import { fileCheckpoints } from "./file-store.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-kill-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Starts the child that saves without end, and kills it a random number of milliseconds after its first save. @returns the last step that it said was saved */
async function killedWhileSaving(random: Random): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "testing/save-forever.ts"), folder], { stdio: ["ignore", "pipe", "inherit"] });
  let told = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (told += text));
  await once(child.stdout, "data");
  setTimeout(() => child.kill("SIGKILL"), random.integer(40));
  const [, signal] = (await once(child, "close")) as [number | null, string | null]; // the event's own arguments
  expect(signal).toBe("SIGKILL");
  return Number(told.trimEnd().split("\n").at(-1));
}

test(
  "a kill at any moment leaves a checkpoint that can be used, not older than the last one whose save had ended",
  { timeout: 120_000 },
  async () => {
    const random = new Random(7);
    for (let round = 0; round < 12; round += 1) {
      await rm(folder, { recursive: true, force: true });
      const told = await killedWhileSaving(random);
      const store = fileCheckpoints(folder, { retain: 3 });
      const last = await store.load("last");
      expect(last?.step).toBeGreaterThanOrEqual(told);
      expect(last?.step).toBeLessThanOrEqual(told + 1);
      for (const which of ["last", "best", ...(await store.steps())] as const) {
        const found = await store.load(which);
        if (found === undefined) continue; // no best yet
        expect(new Set(toNumbers(found.state["w"]!))).toEqual(new Set([found.step]));
      }
      await store.save(last!, { best: true }); // what the killed process left half-done is in nobody's way
      expect((await readdir(folder)).filter((name) => name.endsWith(".draft"))).toEqual([]);
    }
  },
);
