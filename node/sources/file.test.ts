import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openTable, readTable } from "../../core/index.ts";
import { fileSource } from "./file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-file-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const bytesOf = async (stream: ReadableStream<Uint8Array>): Promise<Buffer> => {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
};

it("reads a file of several pieces again and again, from any place", async () => {
  const path = join(folder, "data.bin");
  const contents = Buffer.from(Array.from({ length: 600_000 }, (_, i) => i % 251));
  await writeFile(path, contents);
  const source = await fileSource(path);
  expect(source).toMatchObject({ name: path, size: 600_000 });
  expect((await bytesOf(source.open())).equals(contents)).toBe(true);
  expect((await bytesOf(source.open(599_990))).equals(contents.subarray(599_990))).toBe(true);
  expect(await bytesOf(source.open(600_000))).toHaveLength(0);
});

it("closes the file when the reader stops early", async () => {
  const path = join(folder, "t.csv");
  await writeFile(path, `a\n${"1\n".repeat(500_000)}`);
  const table = await openTable(await fileSource(path), { chunkRows: 10 });
  for await (const columns of table) {
    expect(columns.length).toBe(10);
    break;
  }
  await rm(path);
  expect(table.rows).toBeUndefined();
});

it("reads gzip of many megabytes as a table", async () => {
  const path = join(folder, "t.csv.gz");
  await writeFile(path, gzipSync(`n,s\n${Array.from({ length: 200_000 }, (_, i) => `${i},v${i % 10}\n`).join("")}`));
  const columns = await readTable(await openTable(await fileSource(path)));
  expect(columns.length).toBe(200_000);
  const n = columns.columns.get("n");
  if (n?.kind !== "number") throw new Error("expected numbers");
  expect(n.values.every((value, i) => value === i)).toBe(true);
});

it("refuses what is not there, and folders", async () => {
  await expect(fileSource(join(folder, "nope.csv"))).rejects.toMatchObject({
    code: "FILE_UNREADABLE",
    message: expect.stringContaining("no such file"),
  });
  await expect(fileSource(folder)).rejects.toMatchObject({ code: "FILE_UNREADABLE", message: expect.stringContaining("is a folder") });
});

it("reports a file that vanishes between two passes", async () => {
  const path = join(folder, "t.csv");
  await writeFile(path, "a\n1\n");
  const table = await openTable(await fileSource(path));
  await rm(path);
  await expect(readTable(table)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
});
