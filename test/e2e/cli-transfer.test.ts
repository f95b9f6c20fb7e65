import { mkdir, readFile, writeFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { espalier, temporaryFolder } from "../support/espalier.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const run = (...args: readonly string[]): ReturnType<typeof espalier> => espalier(args, { cwd: folder.path });
const place = (name: string): string => join(folder.path, name);

/** Handwritten digits as rows of 64 numbers from 0 to 16, and what each is. */
let digits: readonly (readonly number[])[];
const named = (row: readonly number[]): number => row[64] ?? -1;

/** Digits as a table with a header. */
const tableOf = (rows: readonly (readonly number[])[]): string =>
  [[...Array.from({ length: 64 }, (_, i) => `p${i}`), "digit"], ...rows.map((row) => [...row.slice(0, 64), `d${named(row)}`])].join("\n");

/** Digits as a folder of images, `<digit>/<number>.png`, of 8x8 pixels in one channel, or coloured ones. */
async function drawImages(path: string, rows: readonly (readonly number[])[], { coloured }: { readonly coloured: boolean }): Promise<void> {
  for (const [i, row] of rows.entries()) {
    await mkdir(place(`${path}/${named(row)}`), { recursive: true });
    const gray = row.slice(0, 64).map((value) => Math.min(255, 16 * value));
    const data = coloured ? gray.flatMap((value) => [value, Math.floor(value / 2), 40]) : gray;
    await sharp(Uint8Array.from(data), { raw: { width: 8, height: 8, channels: coloured ? 3 : 1 } }).toFile(place(`${path}/${named(row)}/${i}.png`));
  }
}

const weights = (path: string): Promise<Buffer> => readFile(place(`${path}/model.safetensors`));
const accuracyOf = (json: unknown): number => (json as { metrics: { accuracy: number } }).metrics.accuracy;

beforeAll(async () => {
  folder = await temporaryFolder();
  const text = gunzipSync(await readFile(fileURLToPath(new URL("../../examples/data/digits.csv.gz", import.meta.url)))).toString();
  digits = text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(",").map(Number));
});
afterAll(() => folder.remove());

describe("a table", () => {
  it("is learned on with the body of a bundle whose columns it has: fewer rows of other classes", async () => {
    const low = digits.filter((row) => named(row) < 5);
    const high = digits.filter((row) => named(row) >= 5);
    await writeFile(place("low.csv"), tableOf(low));
    await writeFile(place("high.csv"), tableOf(high.slice(0, 200)));
    await writeFile(place("later.csv"), tableOf(high.slice(200)));
    expect((await run("train", "low.csv", "--target", "digit", "--model", "network", "--epochs", "20", "--quiet", "--out", "low")).code).toBe(0);
    const { code, json, stderr } = await run(
      "train",
      "high.csv",
      "--target",
      "digit",
      "--from",
      "low",
      "--body-rate",
      "0.5",
      "--json",
      "--out",
      "high",
    );
    expect(code).toBe(0);
    expect(json).toMatchObject({ model: "transferred", target: "digit", task: "classification", rows: { train: 140 } });
    expect(stderr).toMatch(/note: the body of low \(version [0-9a-f]{16}\) learns on at 0.5 times the rate of the new last layer/);
    expect(accuracyOf((await run("evaluate", "high", "later.csv", "--json")).json)).toBeGreaterThan(0.9); // five classes
    const [before, after] = [(await run("inspect", "low", "--json")).json, (await run("inspect", "high", "--json")).json] as [
      { version: string },
      { lineage: object },
    ];
    expect(after.lineage).toMatchObject({ from: { name: "low", version: before.version } });
  });

  it("is repeated bit for bit, and not when the bundle behind it has changed", async () => {
    const { runs } = (await run("runs", "list", "--json")).json as { runs: { id: string; parameters: { from?: object } }[] };
    const transferred = runs.find(({ parameters }) => parameters.from !== undefined);
    expect(transferred?.parameters.from).toEqual({ bundle: "low", bodyRate: 0.5, version: expect.stringMatching(/^[0-9a-f]{16}$/) });
    const again = await run("runs", "reproduce", transferred?.id ?? "", "--json", "--quiet");
    expect(again.json).toMatchObject({ identical: true });
    await run("train", "low.csv", "--target", "digit", "--model", "linear", "--epochs", "2", "--quiet", "--out", "low");
    const changed = await run("runs", "reproduce", transferred?.id ?? "", "--quiet");
    expect([changed.code, changed.stderr]).toEqual([2, expect.stringContaining("low has changed since that run: it has version")]);
    const linear = await run("train", "high.csv", "--target", "digit", "--from", "low", "--out", "nothing");
    expect([linear.code, linear.stderr]).toEqual([2, expect.stringContaining("low has no body to learn on with")]);
  });

  it("that does not fit is refused with the column and what to do, and nothing is written", async () => {
    await writeFile(place("narrow.csv"), `p0,digit\n${Array.from({ length: 40 }, (_, i) => `${i % 7},${i % 2 === 0 ? "a" : "b"}\n`).join("")}`);
    const refused = async (...args: readonly string[]): Promise<string> => {
      const { code, stderr } = await run("train", "high.csv", "--target", "digit", "--quiet", "--out", "nothing", ...args);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await refused("--from", "high", "--ignore", "p3")).toContain('high reads the column "p3", which is to be ignored');
    expect(await refused("--from", "high", "--target", "p3")).toContain('high reads the column "p3", which is to be predicted');
    expect(await refused("--from", "high", "--model", "mlp")).toContain("--from takes the network of high; leave --model mlp out");
    expect(await refused("--from", "high", "--freeze", "--body-rate", "0.1")).toContain("--freeze leaves the body as it is");
    expect(await refused("--from", "high", "--out", "high")).toContain("the bundle would be written over high, which it is learned from");
    expect(await refused("--from", "nowhere")).toContain("cannot read the bundle nowhere");
    expect(await refused("--freeze")).toContain("--freeze is for learning on with a trained model: --from <bundle>");
    const narrow = await run("train", "narrow.csv", "--target", "digit", "--from", "high", "--out", "nothing");
    expect([narrow.code, narrow.stderr]).toEqual([
      2,
      expect.stringMatching(/COLUMN_MISSING: high reads the column "p\d+", which the data does not have/),
    ]);
    await expect(weights("nothing")).rejects.toThrow("ENOENT");
  });
});

describe("a folder of images", () => {
  it("is brought to the shape that the body reads, and a frozen body keeps its weights", async () => {
    const seen = digits.filter((row) => named(row) < 4).slice(0, 240);
    const other = digits.filter((row) => named(row) === 6 || named(row) === 7).slice(0, 60);
    await drawImages("coloured", seen, { coloured: true });
    await drawImages("gray", other, { coloured: false });
    expect((await run("train", "coloured", "--model", "conv-net", "--epochs", "6", "--quiet", "--out", "body")).code).toBe(0);
    const { code, json } = await run("train", "gray", "--from", "body", "--freeze", "--epochs", "20", "--json", "--quiet", "--out", "sixes");
    expect(code).toBe(0);
    expect(json).toMatchObject({ model: "transferred", target: "label" });
    expect(accuracyOf((await run("evaluate", "sixes", "gray", "--json")).json)).toBeGreaterThan(0.9);
    type Described = { inputs: { shape: number[] }[]; tensors: Record<string, { sha256: string }> };
    const [body, tuned] = await Promise.all(
      ["body", "sixes"].map(async (name) => JSON.parse(await readFile(place(`${name}/manifest.json`), "utf8")) as Described),
    );
    expect(tuned?.inputs).toMatchObject([{ shape: [3, 8, 8] }]); // images without colour as well
    const kept = Object.keys(tuned?.tensors ?? {}).filter((name) => !name.startsWith("transfer_head/"));
    expect(kept).toContain("conv2d/kernel");
    for (const name of kept) expect(tuned?.tensors[name]?.sha256).toBe(body?.tensors[name]?.sha256);
    const resized = await run("train", "gray", "--from", "body", "--image-size", "16");
    expect([resized.code, resized.stderr]).toEqual([2, expect.stringContaining("body reads images of its own shape, [3, 8, 8]")]);
    const table = await run("train", "high.csv", "--target", "digit", "--from", "body");
    expect([table.code, table.stderr]).toEqual([2, expect.stringContaining('body reads the column "image", which the data does not have')]);
  });
});

it("a text is learned on with the vocabulary of the bundle, for a quantity in place of classes", async () => {
  const words = { good: ["wonderful", "tasty", "friendly", "perfect"], bad: ["awful", "stale", "rude", "burnt"] };
  const plain = ["the", "soup", "waiter", "and", "we", "table", "evening", "wine", "was", "came"];
  const review = (i: number): { readonly text: string; readonly good: boolean } => {
    const good = (i * 7) % 3 === 0;
    const mood = words[good ? "good" : "bad"];
    const text = [0, 1, 2, 3, 4].map((k) => plain[(i * (k + 3) + k) % plain.length]).concat(mood[i % 4] ?? "", mood[(i * 3 + 1) % 4] ?? "", `(${i})`);
    return { text: text.join(" "), good };
  };
  const rows = Array.from({ length: 500 }, (_, i) => review(i));
  await writeFile(
    place("moods.csv"),
    `review,mood\n${rows
      .slice(0, 300)
      .map(({ text, good }) => `${text},${good ? "pleased" : "cross"}`)
      .join("\n")}\n`,
  );
  await writeFile(
    place("stars.csv"),
    `review,stars\n${rows
      .slice(300)
      .map(({ text, good }, i) => `${text},${good ? 4.5 + 0.01 * (i % 9) : 1.5 - 0.01 * (i % 9)}`)
      .join("\n")}\n`,
  );
  expect((await run("train", "moods.csv", "--target", "mood", "--model", "deep-averaging", "--quiet", "--out", "moods")).code).toBe(0);
  const { code, json } = await run("train", "stars.csv", "--target", "stars", "--from", "moods", "--freeze", "--json", "--quiet", "--out", "stars");
  expect(code).toBe(0);
  expect(json).toMatchObject({ task: "regression", model: "transferred" });
  expect((json as { metrics: { r2: number } }).metrics.r2).toBeGreaterThan(0.9);
});
