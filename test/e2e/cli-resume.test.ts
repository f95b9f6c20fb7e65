import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CommandResult, espalier, startEspalier, temporaryFolder } from "../support/espalier.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const run = (...args: readonly string[]): Promise<CommandResult> => espalier(args, { cwd: folder.path });
const read = (...parts: readonly string[]): Promise<string> => readFile(join(folder.path, ...parts), "utf8");

beforeAll(async () => {
  folder = await temporaryFolder();
  const rows = Array.from(
    { length: 400 },
    (_, i) => `${(i * 7) % 13}.5,${(i * 11) % 17},${Math.sin(i).toFixed(4)},${((i * 7) % 13) * ((i * 11) % 17)}.5\n`,
  );
  await writeFile(join(folder.path, "table.csv"), `a,b,c,y\n${rows.join("")}`);
});
afterAll(() => folder.remove());

const training = (out: string): readonly string[] => [
  "train",
  "table.csv",
  "--target",
  "y",
  "--epochs",
  "400",
  "--batch-size",
  "4",
  "--seed",
  "5",
  "--out",
  out,
  "--logs",
  `${out}-logs`,
];

/** Starts training and kills it when the network's training has begun. */
async function killed(out: string): Promise<void> {
  const child = startEspalier(training(out), folder.path);
  const closed = once(child, "close") as Promise<[number | null, string | null]>; // the event's own arguments
  let text = "";
  child.stdout.on("data", (part: string) => {
    text += part;
    if (/network: [^]*epoch 20\//.test(text)) child.kill("SIGKILL");
  });
  expect((await closed)[1]).toBe("SIGKILL");
}

async function runOf(id?: string): Promise<{ id: string; status: string; path: string }> {
  const listed = (await run("runs", "list", "--json")).json as { runs: { id: string; status: string; parameters: { path: string } }[] };
  const found = listed.runs.find((record) => id === undefined || record.id === id) ?? expect.fail("no run is recorded");
  return { id: found.id, status: found.status, path: found.parameters.path };
}

it("a run that was killed is listed as interrupted, and ends, resumed, with the model, the history and the logs of one that was not", async () => {
  await killed("broken");
  const { id, status, path } = await runOf();
  expect({ status, path }).toEqual({ status: "interrupted", path: "broken" });
  const resumed = await run("runs", "resume", id.slice(0, 17), "--json", "--quiet");
  expect(resumed).toMatchObject({ code: 0, json: { ok: true, run: id, bundle: "broken" } });
  const straight = (await run(...training("straight"), "--json", "--quiet")).json as { run: string };

  const versionOf = async (bundle: string): Promise<unknown> => (JSON.parse(await read(bundle, "manifest.json")) as { version: string }).version;
  expect(await versionOf("broken")).toBe(await versionOf("straight"));
  for (const model of ["linear", "network"])
    expect(await read("broken-logs", model, "epochs.csv")).toBe(await read("straight-logs", model, "epochs.csv"));
  const historyOf = async (run_: string): Promise<unknown> => ((await run("runs", "show", run_, "--json")).json as { history: unknown }).history;
  expect(await historyOf(id)).toEqual(await historyOf(straight.run));
  expect((await runOf(id)).status).toBe("finished");
  expect((await readdir(join(folder.path, ".espalier", "runs", id))).toSorted()).toEqual(["history.jsonl", "run.json"]);
  expect((await readdir(folder.path)).toSorted()).toEqual([".espalier", "broken", "broken-logs", "straight", "straight-logs", "table.csv"]);
  expect((await run("runs", "resume", id)).stderr).toContain("is finished; there is nothing to go on with");
});

it("a run that another process is training is not resumed beside it, and goes on unharmed", async () => {
  const child = startEspalier(training("busy"), folder.path);
  const closed = once(child, "close") as Promise<[number | null, string | null]>; // the event's own arguments
  await new Promise<void>((resolve) => {
    let text = "";
    child.stdout.on("data", (part: string) => {
      text += part;
      if (text.includes("epoch 1/")) resolve();
    });
  });
  const { id, status } = await runOf();
  expect(status).toBe("running");
  const refused = await run("runs", "resume", id);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(`error ARGUMENT_INVALID: process ${child.pid} is training the run`);
  expect((await closed)[0]).toBe(0);
  expect((await runOf(id)).status).toBe("finished");
});
