import { randomBytes } from "node:crypto";
import { appendFile, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { EspalierError, type RunPoint, type RunRecord, type RunStore } from "../../core/index.ts";
import { writeWhole } from "../draft-file.ts";
import { lockOwner } from "./run-lock.ts";

/** The folder, in the working directory, where runs are recorded. */
export const runsFolder: string = join(".espalier", "runs");

/** A new run's id: sorts by time, unique. @example "20261123-104012-3fa9c1" */
export function newRunId(now: Date = new Date()): string {
  const digits = now.toISOString().replaceAll(/\D/g, "");
  return `${digits.slice(0, 8)}-${digits.slice(8, 14)}-${randomBytes(3).toString("hex")}`;
}

/** Runs as folders: `<id>/run.json`, written as a whole, and `<id>/history.jsonl`, appended to. */
export function fileRuns(folder: string = runsFolder): RunStore {
  const known = new Set<string>(); // whose histories end with a whole line
  const read = async (id: string): Promise<RunRecord | undefined> => {
    const text = await readIfThere(join(folder, id, "run.json"));
    if (text === undefined) return undefined;
    const record = parseRecord(text, join(folder, id, "run.json"));
    const isOrphan = record.status === "running" && (await lockOwner(join(folder, id))) === undefined;
    return isOrphan ? { ...record, status: "interrupted" } : record;
  };
  const find = async (id: string): Promise<string> => {
    const ids = await idsIn(folder);
    const found = ids.filter((other) => other.startsWith(id));
    const [only] = found;
    if (id !== "" && only !== undefined && (found.length === 1 || only === id)) return only;
    const newest = ids.slice(0, 3).join(", ");
    const problem =
      found.length > 1 && id !== ""
        ? `${found.length} runs start with "${id}": ${found.slice(0, 3).join(", ")}`
        : `no run "${id}" is recorded in ${folder}`;
    throw new EspalierError("RUN_NOT_FOUND", `${problem}${newest === "" ? "" : `; the newest are ${newest}`}`, { id });
  };
  return {
    async save(record) {
      await makeFolder(join(folder, record.id));
      await writeWhole(join(folder, record.id, "run.json"), `${JSON.stringify(record, undefined, 1)}\n`);
    },
    async log(id, points) {
      if (points.length === 0) return;
      const path = join(folder, id, "history.jsonl");
      const lines = points.map((point) => `${JSON.stringify(point)}\n`).join("");
      // A line that a kill cut short shall not spoil the next one.
      const text = known.has(id) || (await endsWithLine(path)) ? lines : `\n${lines}`;
      known.add(id);
      await appendFile(path, text).catch((cause: unknown) => {
        throw new EspalierError("FILE_UNREADABLE", `cannot write ${path}: ${reason(cause)}`, { path }, { cause });
      });
    },
    async get(id) {
      const record = await read(await find(id));
      if (record === undefined) throw new EspalierError("RUN_NOT_FOUND", `run "${id}" has no record in ${folder}`, { id });
      return record;
    },
    async list() {
      const records = await Promise.all((await idsIn(folder)).map(read));
      return records.filter((record) => record !== undefined);
    },
    async history(id) {
      const text = (await readIfThere(join(folder, await find(id), "history.jsonl"))) ?? "";
      const lines = text.split("\n").filter((line) => line !== "");
      return inOrder(lines.flatMap(parsePoint));
    },
  };
}

/** Newest first. */
async function idsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return [];
    throw new EspalierError("FILE_UNREADABLE", `cannot read ${folder}: ${reason(cause)}`, { folder }, { cause });
  });
  return names
    .filter((name) => /^\d{8}-\d{6}-/.test(name))
    .toSorted()
    .toReversed();
}

function parseRecord(text: string, path: string): RunRecord {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "id" in value && "parameters" in value && "data" in value) return value as RunRecord; // what `save` wrote
  } catch (cause) {
    throw new EspalierError("FILE_UNREADABLE", `${path} is damaged; remove its folder`, { path }, { cause });
  }
  throw new EspalierError("FILE_UNREADABLE", `${path} is not a run's record; remove its folder`, { path });
}

function parsePoint(line: string): RunPoint[] {
  try {
    return [JSON.parse(line) as RunPoint]; // what `log` wrote
  } catch {
    return []; // a kill cut it short; the run that went on wrote it again
  }
}

async function endsWithLine(path: string): Promise<boolean> {
  const text = (await readIfThere(path)) ?? "";
  return text === "" || text.endsWith("\n");
}

/** Series in the order of their first points, each by epochs; the last point of an epoch counts. */
function inOrder(points: readonly RunPoint[]): RunPoint[] {
  const series = new Map<string, Map<number, RunPoint>>();
  for (const point of points) {
    const epochs = series.get(point.series) ?? new Map<number, RunPoint>();
    series.set(point.series, epochs.set(point.epoch, point));
  }
  return [...series.values()].flatMap((epochs) => [...epochs.values()].toSorted((a, b) => a.epoch - b.epoch));
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new EspalierError("FILE_UNREADABLE", `cannot record the run in ${folder}: ${reason(cause)}`, { folder }, { cause });
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR")) return undefined;
    throw new EspalierError("FILE_UNREADABLE", `cannot read ${path}: ${reason(cause)}`, { path }, { cause });
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
