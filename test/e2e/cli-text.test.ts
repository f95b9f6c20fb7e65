import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { espalier, startEspalier, temporaryFolder } from "../support/espalier.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const run = (...args: readonly string[]): ReturnType<typeof espalier> => espalier(args, { cwd: folder.path });

/** Numbers that look random and are the same in every run. */
function* noise(): Generator<number, never> {
  for (let state = 1; ; state = (state * 48271) % 2147483647) yield state / 2147483647;
}

/** Reviews whose words tell the mood, and stars that tell a little; length tells nothing. */
function reviews(count: number): string {
  const random = noise();
  const pick = (words: readonly string[]): string => words[Math.floor(random.next().value * words.length)] ?? "";
  const moods = {
    pleased: ["wonderful", "tasty", "friendly", "recommended", "perfect", "cosy"],
    cross: ["awful", "stale", "rude", "overpriced", "burnt", "noisy"],
  };
  const rows = Array.from({ length: count }, (_, i) => {
    const mood = i % 2 === 0 ? "pleased" : "cross";
    const words = Array.from({ length: 4 + Math.floor(random.next().value * 8) }, (__, j) =>
      j === 2 || j === 3 ? pick(moods[mood]) : pick(["The", "soup", "waiter,", "and", "we", "table", "evening", "wine", "was", "came"]),
    );
    const stars = random.next().value < 0.7 ? (mood === "pleased" ? 4 : 2) : 3;
    return `"${words.join(" ")} (${i})",${stars},${mood}`;
  });
  return `review,stars,mood\n${rows.join("\n")}\n`;
}

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, "reviews.csv"), reviews(600));
});
afterAll(() => folder.remove());

it("a table with a text column learns from its words, joined with the other columns", async () => {
  const { code, json, stderr } = await run("train", "reviews.csv", "--target", "mood", "--json", "--out", "moods");
  expect(code).toBe(0);
  expect(stderr).toContain("from 2 columns");
  expect(json).toMatchObject({ task: "classification", rows: { train: 420 } });
  expect((json as { metrics: { accuracy: number } }).metrics.accuracy).toBeGreaterThan(0.95); // stars alone tell 0.85
  const words = await run("train", "reviews.csv", "--target", "mood", "--ignore", "stars", "--model", "deep-averaging", "--json", "--out", "words");
  expect((words.json as { metrics: { accuracy: number } }).metrics.accuracy).toBeGreaterThan(0.95);
});

it("the vocabulary travels in the bundle: predict, evaluate and the server read the text alike", async () => {
  await writeFile(join(folder.path, "new.csv"), 'review,stars\n"Burnt soup, rude waiter!!",3\n"A perfect, cosy evening: recommended",3\n,3\n');
  const { stdout, code } = await run("predict", "moods", "new.csv");
  expect(code).toBe(0);
  const rows = stdout.trimEnd().split("\r\n").slice(1);
  expect(rows.slice(0, 2).map((row) => row.split(",")[0])).toEqual(["cross", "pleased"]);
  expect((await run("evaluate", "moods", "reviews.csv", "--json")).json).toMatchObject({ rows: 600 });
  const server = startEspalier(["serve", "moods", "--port", "0"], folder.path);
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let text = "";
      server.stdout.on("data", (piece: string) => {
        text += piece;
        const found = /listening on (http:\S+)/.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      });
      server.once("close", () => reject(new Error(`the server ended: ${text}`)));
    });
    const response = await fetch(`${url}/v1/models/moods:predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ instances: [{ review: "Burnt soup, rude waiter!!", stars: 3 }] }),
    });
    const { predictions } = (await response.json()) as { predictions: { prediction: string; probabilities: Record<string, number> }[] };
    expect(predictions[0]?.prediction).toBe("cross");
    expect(predictions[0]?.probabilities["cross"]).toBeCloseTo(Number(rows[0]?.split(",")[1]), 4);
  } finally {
    server.kill("SIGINT");
    await new Promise((resolve) => server.once("close", resolve));
  }
});

it("a bundle whose merges were tampered with is refused", async () => {
  const path = join(folder.path, "moods", "manifest.json");
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace(/"merges":\s*\[\s*\d+/, '"merges":[9999'));
  const { code, stderr } = await run("predict", "moods", "new.csv");
  expect([code, stderr]).toEqual([2, expect.stringMatching(/error BUNDLE_/)]);
  await writeFile(path, text);
});
