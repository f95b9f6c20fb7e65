import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

// The other stories run the sources; these run what `npm ci` built and what a package holds.
const program = join(import.meta.dirname, "../../dist/cli/main.js");
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-built-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

test("the built program trains a table, evaluates and predicts", async () => {
  const rows = Array.from({ length: 60 }, (_, i) => `${i},${i % 7},${i % 2 === 0 ? "even" : "odd"},${3 * i + 1}`);
  await writeFile(join(folder, "table.csv"), `i,week,parity,y\n${rows.join("\n")}\n`);
  const trained = await espalier("train", "table.csv", "--target", "y", "--model", "linear", "--epochs", "3", "--out", "bundle", "--json");
  expect(trained).toMatchObject({ code: 0 });
  expect(JSON.parse(lastLine(trained.stdout))).toMatchObject({ ok: true, task: "regression", target: "y", model: "linear" });
  expect(JSON.parse(lastLine((await espalier("evaluate", "bundle", "table.csv", "--json")).stdout))).toMatchObject({ ok: true, rows: 60 });
  expect((await espalier("predict", "bundle", "table.csv", "--out", "answers.csv")).code).toBe(0);
});

test("the built program tells a user's error from a defect", async () => {
  await writeFile(join(folder, "short.csv"), "a,b\n1,2\n3\n");
  const refused = await espalier("train", "short.csv", "--target", "b");
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/^error DATA_MALFORMED: .*line 3/m);
  expect((await espalier("inspect", "nothing-here")).stderr).toMatch(/^error FILE_UNREADABLE: /m);
});

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

function espalier(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd: folder }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
