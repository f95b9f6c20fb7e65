import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { RunRecord } from "../../core/index.ts";
import { fileRuns, newRunId } from "./file-runs.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-runs-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const record = (id: string): RunRecord => ({
  id,
  status: "failed",
  startedAt: "2026-01-02T03:04:05.000Z",
  parameters: { target: "y", seed: 1 },
  data: { files: ["a.csv"], fingerprint: "00", rows: 3, options: {} },
  version: "0.1.0",
  environment: {},
  artifacts: [],
});

it("makes ids that sort by time", () => {
  const ids = [newRunId(new Date("2026-01-02T03:04:05Z")), newRunId(new Date("2026-01-02T03:04:06Z"))];
  expect(ids[0]).toMatch(/^20260102-030405-[0-9a-f]{6}$/);
  expect(ids.toSorted()).toEqual(ids);
});

it("keeps records and their history, newest first, found by the start of an id", async () => {
  const store = fileRuns(folder);
  const [a, b] = [record("20260102-030405-aaaaaa"), record("20260102-030406-bbbbbb")];
  await store.save(a);
  await store.save(b);
  await store.save({ ...a, status: "finished" });
  expect((await store.list()).map(({ id, status }) => `${id} ${status}`)).toEqual([`${b.id} failed`, `${a.id} finished`]);
  expect(await store.get("20260102-030406")).toEqual(b);
  const points = [1, 2].map((epoch) => ({ series: "network", epoch, step: 10 * epoch, values: { loss: 1 / epoch } }));
  await store.log(a.id, points.slice(0, 1));
  await store.log(a.id, points.slice(1));
  await appendFile(join(folder, a.id, "history.jsonl"), '{"series":"netw'); // a kill in the middle of a line
  expect(await store.history(a.id)).toEqual(points);
  const third = { series: "network", epoch: 3, step: 30, values: { loss: 0.1 } };
  await fileRuns(folder).log(a.id, [points[1]!, third]); // the run that went on does an epoch again
  expect(await store.history(a.id)).toEqual([...points, third]);
  expect(await store.history(b.id)).toEqual([]);
});

it("has no runs where there is no folder, and says which there are when one is not found", async () => {
  expect(await fileRuns(join(folder, "nothing")).list()).toEqual([]);
  await expect(fileRuns(join(folder, "nothing")).get("2026")).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
  const store = fileRuns(folder);
  await store.save(record("20260102-030405-aaaaaa"));
  await store.save(record("20260102-030406-bbbbbb"));
  await expect(store.get("2027")).rejects.toThrow(/the newest are 20260102-030406-bbbbbb/);
  await expect(store.get("2026")).rejects.toThrow(/2 runs start with "2026"/);
  await expect(store.get("")).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
  await expect(store.get("../../etc")).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
});

it("says which record is damaged", async () => {
  await mkdir(join(folder, "20260102-030405-aaaaaa"));
  await writeFile(join(folder, "20260102-030405-aaaaaa", "run.json"), "{");
  await expect(fileRuns(folder).list()).rejects.toMatchObject({ code: "FILE_UNREADABLE", message: expect.stringContaining("run.json is damaged") });
});
