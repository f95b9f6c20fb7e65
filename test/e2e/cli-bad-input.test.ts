import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandResult, espalier, startEspalier, temporaryFolder } from "../support/espalier.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const run = (...args: readonly string[]): Promise<CommandResult> => espalier(args, { cwd: folder.path });
const place = (name: string): string => join(folder.path, name);

const rows = (count: number, row: (i: number) => string): string => Array.from({ length: count }, (_, i) => `${row(i)}\n`).join("");
const good = `width,colour,label\n${rows(60, (i) => `${(i * 7) % 13}.5,${i % 3 === 0 ? "red" : "blue"},${(i * 7) % 13 > 6 ? "big" : "small"}`)}`;

beforeAll(async () => {
  folder = await temporaryFolder();
  const files: Readonly<Record<string, string | Uint8Array>> = {
    "good.csv": good,
    "empty.csv": "",
    "header.csv": "width,label\n",
    "few.csv": "a,b\n1,x\n2\n",
    "many.csv": 'a,b\n"1\n",x\n2,y,z\n',
    "unclosed.csv": 'a,b\n1,x\n2,"y\n3,z\n',
    "mixed.csv": `n,label\n${rows(40, (i) => `${i},${i % 2}`)}abc,1\n`,
    "constant.csv": `n,label\n${rows(40, (i) => `${i}.5,same`)}`,
    "missing-target.csv": `n,label\n${rows(40, (i) => `${i}.5,`)}`,
    "tiny.csv": "n,label\n1.5,a\n2.5,b\n",
    "useless.csv": `id,label\n${rows(40, (i) => `${i},${i % 2}`)}`,
    "binary.csv": Uint8Array.from({ length: 64 }, (_, i) => i),
    "latin1.csv": Uint8Array.from([...Buffer.from("name,label\n"), 0xe9, ...Buffer.from(",a\nx,b\n")]),
    "broken.jsonl": '{"a":1,"label":"x"}\n{"a":2,"label":\n',
    "wrong-columns.csv": "widht,colour,label\n1.5,red,big\n",
    "wrong-type.csv": "width,colour,label\n1.5,red,big\nwide,red,big\n",
    "unknown-class.csv": "width,colour,label\n1.5,red,big\n2.5,red,huge\n",
  };
  for (const [name, contents] of Object.entries(files)) await writeFile(place(name), contents);
  await mkdir(place("folder"));
  const { code, stderr } = await run("train", "good.csv", "--target", "label", "--quiet");
  if (code !== 0) throw new Error(`the tests below need a bundle: ${stderr}`);
});
afterAll(() => folder.remove());

/** What is seen of a command that failed. */
const seen = ({ code, stderr }: CommandResult): unknown => ({
  exit: code,
  last: stderr.trimEnd().split("\n").at(-1),
  stack: /\n\s+at /.test(stderr),
});

/** A user's error: exit code 2, and `error CODE: message` on one line without a stack. */
const refusal = (code: string, message: RegExp): unknown => ({
  exit: 2,
  last: expect.stringMatching(new RegExp(`^error ${code}: .*${message.source}`)),
  stack: false,
});

describe("train refuses", () => {
  it.each([
    ["a missing file", ["nope.csv", "--target", "x"], "FILE_UNREADABLE", /nope\.csv: there is no such file/],
    ["a folder without images", ["folder"], "DATA_EMPTY", /folder has no images/],
    ["a folder beside a file", ["folder", "good.csv", "--target", "label"], "ARGUMENT_INVALID", /folder holds images; train on one folder/],
    [
      "a network of other data",
      ["good.csv", "--target", "label", "--model", "conv-net"],
      "ARGUMENT_INVALID",
      /"conv-net" is for images, and this is a table/,
    ],
    [
      "an unknown network",
      ["good.csv", "--target", "label", "--model", "convnet1"],
      "ARGUMENT_INVALID",
      /no model "convnet1"; did you mean "conv-net"/,
    ],
    ["an empty file", ["empty.csv", "--target", "x"], "DATA_EMPTY", /empty\.csv is empty/],
    ["a file with a header only", ["header.csv", "--target", "label"], "DATA_EMPTY", /no rows below/],
    ["a row with too few fields", ["few.csv", "--target", "b"], "DATA_MALFORMED", /few\.csv, line 3: too few fields: 1 found, 2 expected/],
    ["a row with too many fields", ["many.csv", "--target", "b"], "DATA_MALFORMED", /many\.csv, line 4: too many fields: 3 found, 2 expected/],
    ["a quote that is never closed", ["unclosed.csv", "--target", "b"], "DATA_MALFORMED", /line 3: a quoted field starts here and is never closed/],
    [
      "mixed types in a column",
      ["mixed.csv", "--target", "label"],
      "COLUMN_TYPE",
      /mixed types in column "n".*mixed\.csv, line 42: "abc".*--as-text/,
    ],
    ["bytes that are no text", ["binary.csv", "--target", "label"], "DATA_MALFORMED", /not a text file/],
    ["text that is not UTF-8", ["latin1.csv", "--target", "label"], "DATA_MALFORMED", /line 2: bytes that are not UTF-8/],
    ["broken JSON lines", ["broken.jsonl", "--target", "label"], "DATA_MALFORMED", /broken\.jsonl, line 2/],
    ["files with different columns", ["good.csv", "few.csv", "--target", "label"], "DATA_MALFORMED", /few\.csv, line 3/],
    ["a target that does not exist", ["good.csv", "--target", "lable"], "COLUMN_MISSING", /no column "lable" to predict; did you mean "label"\?/],
    ["no target", ["good.csv"], "ARGUMENT_INVALID", /--target <column>; there are "width", "colour", "label"/],
    ["a constant target", ["constant.csv", "--target", "label"], "TARGET_INVALID", /the same value "same" in all 40 rows/],
    ["a target without values", ["missing-target.csv", "--target", "label"], "TARGET_INVALID", /has no value in any of 40 rows/],
    ["too few rows", ["tiny.csv", "--target", "label"], "DATA_EMPTY", /2 rows are too few to split/],
    ["a table without a usable column", ["useless.csv", "--target", "label"], "DATA_EMPTY", /no column can be learned from.*"id"/],
    ["an ignored column that is not there", ["good.csv", "--target", "label", "--ignore", "colr"], "COLUMN_MISSING", /"colr".*did you mean "colour"/],
    [
      "a size of images for a table",
      ["good.csv", "--target", "label", "--image-size", "32"],
      "ARGUMENT_INVALID",
      /--image-size is for a folder of images/,
    ],
    ["an ignored target", ["good.csv", "--target", "label", "--ignore", "label"], "ARGUMENT_INVALID", /"label" is the target and to be ignored/],
    [
      "a place that cannot be written",
      ["good.csv", "--target", "label", "--out", "good.csv/model"],
      "FILE_UNREADABLE",
      /good\.csv\/model: a file is in the place of a folder/,
    ],
    ["a column to read as text that is not there", ["good.csv", "--target", "label", "--as-text", "colr"], "COLUMN_MISSING", /did you mean "colour"/],
    [
      "a model that is not in this release",
      ["good.csv", "--target", "label", "--model", "boosted-trees"],
      "ARGUMENT_INVALID",
      /choose auto, linear or network/,
    ],
    ["distribution", ["good.csv", "--target", "label", "--distribute", "4"], "ARGUMENT_INVALID", /--distribute is not in this release/],
    ["a number that is none", ["good.csv", "--target", "label", "--epochs", "many"], "ARGUMENT_INVALID", /--epochs.*whole number from 1/],
    ["an unknown option", ["good.csv", "--target", "label", "--epohcs", "3"], "ARGUMENT_INVALID", /--epohcs.*Did you mean --epochs\?/],
    [
      "an unknown backend",
      ["good.csv", "--target", "label", "--backend", "onnx"],
      "ARGUMENT_INVALID",
      /no backend "onnx"; did you mean "onnxruntime"/,
    ],
    [
      "a place that holds something else",
      ["good.csv", "--target", "label", "--out", "folder"],
      "FILE_UNREADABLE",
      /folder exists and is not a bundle/,
    ],
    ["text as a quantity", ["good.csv", "--target", "label", "--task", "regression"], "TARGET_INVALID", /a regression needs numbers/],
  ])("%s", async (_, args, code, message) => {
    const before = await readdir(folder.path, { recursive: true });
    expect(seen(await run("train", ...args))).toEqual(refusal(code, message));
    expect(await readdir(folder.path, { recursive: true })).toEqual(before);
  });

  it("with one JSON object as the last line of stdout when asked for", async () => {
    const { code, json } = await run("train", "good.csv", "--target", "lable", "--json");
    expect(code).toBe(2);
    expect(json).toEqual({ ok: false, error: { code: "COLUMN_MISSING", message: expect.stringContaining('did you mean "label"?') } });
  });

  it.skipIf(process.getuid?.() === 0)("a file that may not be read", async () => {
    await writeFile(place("secret.csv"), good, { mode: 0o000 });
    expect(seen(await run("train", "secret.csv", "--target", "label"))).toEqual(refusal("FILE_UNREADABLE", /may not be read/));
  });
});

describe("training that goes wrong", () => {
  it("stops at a loss that is not a number, says at which step, and keeps the last good checkpoint", async () => {
    const result = await run("train", "good.csv", "--target", "label", "--learning-rate", "1e38", "--out", "never");
    expect(seen(result)).toEqual(
      refusal("LOSS_NOT_FINITE", /in step \d+ of epoch \d+.*lower the learning rate.*the last good checkpoint is .*last\.safetensors/),
    );
    const [, path = ""] = /checkpoint is (\S+)/.exec(result.stderr) ?? [];
    const bytes = await readFile(place(path));
    expect(bytes.length).toBeGreaterThan(100);
    expect(await readdir(folder.path)).not.toContain("never");
    expect((await run("runs", "list", "--json")).json).toMatchObject({
      runs: [{ status: "failed", error: { code: "LOSS_NOT_FINITE" } }, { status: "finished" }],
    });
  });

  it("stops cleanly on Ctrl-C, leaves a checkpoint and no bundle, and goes on from it to the very same model", async () => {
    const training = ["train", "good.csv", "--target", "label", "--epochs", "1000", "--batch-size", "1", "--model", "network"];
    const stopped = await espalier([...training, "--out", "broken"], { cwd: folder.path, interruptWhen: (output) => output.includes("epoch 1/") });
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toMatch(/error CANCELLED: training of the network model was stopped in epoch \d+, step \d+; its checkpoint is in \S+/);
    const [, path = "", id = ""] = /checkpoint is in (\S+); go on with: espalier runs resume (\S+)/.exec(stopped.stderr) ?? [];
    expect(await readdir(place(path))).toContain("last.safetensors");
    expect(await readdir(folder.path)).not.toContain("broken");

    const resumed = await run("runs", "resume", id, "--json", "--quiet");
    expect(resumed.json).toMatchObject({ ok: true, bundle: "broken" });
    const straight = await run(...training, "--out", "straight", "--json", "--quiet");
    expect((resumed.json as { metrics: unknown }).metrics).toEqual((straight.json as { metrics: unknown }).metrics);
    const versionOf = async (bundle: string): Promise<unknown> =>
      (JSON.parse(await readFile(place(`${bundle}/manifest.json`), "utf8")) as { version: string }).version;
    expect(await versionOf("broken")).toBe(await versionOf("straight"));
    expect(await readdir(place(path)).catch(() => "gone")).toBe("gone");
  });
});

describe("a bundle's commands refuse", () => {
  it.each([
    ["a bundle that is not there", ["predict", "nope", "good.csv"], "FILE_UNREADABLE", /nope/],
    ["a folder that is no bundle", ["predict", "folder", "good.csv"], "BUNDLE_INVALID", /folder/],
    ["a file that is no bundle", ["evaluate", "good.csv", "good.csv"], "BUNDLE_[A-Z]+", /good\.csv/],
    ["data without an input column", ["predict", "good-label", "wrong-columns.csv"], "COLUMN_MISSING", /no column "width"; did you mean "widht"\?/],
    [
      "data of a wrong type",
      ["predict", "good-label", "wrong-type.csv", "--out", "p.csv"],
      "COLUMN_TYPE",
      /column "width".*wrong-type\.csv, line 3: "wide"/,
    ],
    [
      "a class that the model does not know",
      ["evaluate", "good-label", "unknown-class.csv"],
      "TARGET_INVALID",
      /row 2: class "huge" is not one of the model's: big, small/,
    ],
    ["data without the target", ["evaluate", "good-label", "few.csv"], "DATA_MALFORMED", /few\.csv, line 3/],
    ["to profile nothing", ["profile", "nope"], "FILE_UNREADABLE", /nope/],
    ["to inspect nothing", ["inspect", "nope"], "FILE_UNREADABLE", /nope/],
    ["to serve nothing", ["serve", "nope"], "FILE_UNREADABLE", /nope/],
    ["to show a run that is not there", ["runs", "show", "1999"], "RUN_NOT_FOUND", /no run "1999"/],
    ["half a command", ["runs"], "ARGUMENT_INVALID", /"runs" is not a whole command/],
    ["a part of a command that is not there", ["runs", "shwo", "1"], "ARGUMENT_INVALID", /unknown command 'shwo' \(Did you mean show\?\)/],
    ["a part of a command that is nothing like one", ["runs", "frob"], "ARGUMENT_INVALID", /unknown command 'frob'; there are "list", "show"/],
    ["a command that is not there", ["trian", "good.csv"], "ARGUMENT_INVALID", /no command "trian"; did you mean "train"\?/],
    ["a command that is not there, with options", ["trian", "good.csv", "--target", "x"], "ARGUMENT_INVALID", /no command "trian"; did you mean/],
    ["more than a command takes", ["inspect", "good.csv", "few.csv"], "ARGUMENT_INVALID", /too many arguments.*inspect/],
    ["less than a command takes", ["train"], "ARGUMENT_INVALID", /missing required argument 'data'; espalier train --help/],
  ])("%s", async (_, args, code, message) => {
    const before = await readdir(folder.path);
    expect(seen(await run(...args))).toEqual(refusal(code, message));
    expect(await readdir(folder.path)).toEqual(before);
  });

  it("a bundle with a flipped byte", async () => {
    await run("train", "good.csv", "--target", "label", "--quiet", "--out", "flipped", "--model", "linear", "--epochs", "1");
    const bytes = await readFile(place("flipped/model.safetensors"));
    bytes[bytes.length - 3]! ^= 1;
    await writeFile(place("flipped/model.safetensors"), bytes);
    expect(seen(await run("predict", "flipped", "good.csv"))).toEqual(refusal("BUNDLE_CORRUPT", /flipped/));
  });

  it("a port that is in use", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as AddressInfo; // a port, not a pipe
    try {
      expect(seen(await run("serve", "good-label", "--port", String(port)))).toEqual(refusal("PORT_IN_USE", new RegExp(`port ${port}`)));
    } finally {
      taken.close();
    }
  });
});

describe("serve", () => {
  it("answers as predict does, and stops cleanly", async () => {
    const child = startEspalier(["serve", "good-label", "--port", "0"], folder.path);
    const exit = new Promise<number | null>((resolve) => child.once("close", resolve));
    const address = await new Promise<string>((resolve) => {
      let text = "";
      child.stdout.on("data", (part: string) => {
        text += part;
        const [, found] = /listening on (http:\/\/\S+)/.exec(text) ?? [];
        if (found !== undefined) resolve(found);
      });
    });
    const response = await fetch(`${address}/v1/models/good-label:predict`, {
      method: "POST",
      body: JSON.stringify({ instances: [{ width: 1.5, colour: "red" }] }),
    });
    expect(response.status).toBe(200);
    const answer = (await response.json()) as { predictions: [{ prediction: string; probabilities: Record<string, number> }] };
    await writeFile(place("one.csv"), "width,colour\n1.5,red\n");
    const [, line = ""] = (await run("predict", "good-label", "one.csv")).stdout.split("\r\n");
    const [prediction, big] = line.split(",");
    expect(answer.predictions[0].prediction).toBe(prediction);
    expect(answer.predictions[0].probabilities["big"]).toBeCloseTo(Number(big), 5);
    child.kill("SIGTERM");
    expect(await exit).toBe(0);
  });
});

it("says its version and helps without a command", async () => {
  expect((await run("--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  const help = await run();
  expect(help.code).toBe(0);
  for (const command of ["train", "predict", "evaluate", "serve", "inspect", "export", "profile", "deploy", "doctor", "runs"]) {
    expect(help.stdout).toContain(command);
    expect((await run(command, "--help")).stdout).toContain("Examples:");
  }
  for (const part of ["list", "show", "resume", "reproduce"]) expect((await run("runs", part, "--help")).stdout).toContain("Examples:");
});
