import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RunRecord } from "../../core/index.ts";
import { fileRuns } from "./file-runs.ts";
import { lockRun } from "./run-lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-lock-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A process that lives until it is killed. */
async function otherProcess(): Promise<{ readonly pid: number; readonly end: () => Promise<void> }> {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000); console.log('up')"], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const closed = once(child, "close");
  return {
    pid: child.pid ?? expect.fail("it did not start"),
    async end() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

test("a run is one process's until that has released it or is gone", async () => {
  const other = await otherProcess();
  await writeFile(join(folder, "lock"), String(other.pid));
  await expect(lockRun(folder)).rejects.toMatchObject({ code: "ARGUMENT_INVALID", message: expect.stringContaining(`process ${other.pid}`) });
  await other.end();
  const lock = await lockRun(folder);
  await lock.release();
  expect(await readdir(folder)).toEqual([]);
});

test.each(["", "nonsense", "-1", "0"])("a lock that holds %j is nobody's", async (text) => {
  await writeFile(join(folder, "lock"), text);
  await (await lockRun(folder)).release();
  expect(await readdir(folder)).toEqual([]);
});

test("a run whose process was killed is listed as interrupted, one that is trained as running", async () => {
  const id = "20260102-030405-aaaaaa";
  const record: RunRecord = {
    id,
    status: "running",
    startedAt: "2026-01-02T03:04:05Z",
    parameters: {},
    data: { files: [], fingerprint: "", rows: 1, options: {} },
    version: "0.1.0",
    environment: {},
    artifacts: [],
  };
  const other = await otherProcess();
  await mkdir(join(folder, id));
  await writeFile(join(folder, id, "lock"), String(other.pid));
  const store = fileRuns(folder);
  await store.save(record);
  expect((await store.get(id)).status).toBe("running");
  await other.end();
  expect((await store.list()).map(({ status }) => status)).toEqual(["interrupted"]);
});
