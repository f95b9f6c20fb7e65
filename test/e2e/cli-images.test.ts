import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { espalier, startEspalier, temporaryFolder } from "../support/espalier.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const run = (...args: readonly string[]): ReturnType<typeof espalier> => espalier(args, { cwd: folder.path });
const place = (name: string): string => join(folder.path, name);

/** Numbers that look random and are the same in every run. */
function* noise(): Generator<number, never> {
  for (let state = 1; ; state = (state * 48271) % 2147483647) yield state / 2147483647;
}

/** A bar on noise: upright or flat, anywhere. Colours tell nothing. */
async function drawBar(path: string, upright: boolean, random: () => number): Promise<void> {
  const [long, short] = [26, 6];
  const [width, height] = upright ? [short, long] : [long, short];
  const [x, y] = [random() * (40 - width), random() * (40 - height)];
  const colour = (least: number): string => `rgb(${[0, 1, 2].map(() => Math.floor(least + 100 * random())).join(",")})`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><rect width="40" height="40" fill="${colour(0)}"/><rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${colour(150)}"/></svg>`;
  await sharp(Buffer.from(svg)).toFile(path);
}

beforeAll(async () => {
  folder = await temporaryFolder();
  const numbers = noise();
  const random = (): number => numbers.next().value;
  for (const [part, count] of [
    ["train", 60],
    ["test", 20],
  ] as const) {
    for (const name of ["flat", "upright"]) {
      await mkdir(place(`bars/${part}/${name}`), { recursive: true });
      for (let i = 0; i < count; i++) await drawBar(place(`bars/${part}/${name}/${i}.${["png", "jpg", "webp"][i % 3]}`), name === "upright", random);
    }
  }
  await writeFile(place("bars/train/flat/broken.png"), "this is no image");
});
afterAll(() => folder.remove());

describe("a folder of images", () => {
  it("trains with no other argument, keeps the folder's test part for the end, and names what it leaves out", async () => {
    const { code, json, stderr } = await run("train", "bars", "--image-size", "20", "--seed", "1", "--json", "--out", "bars.bundle");
    expect(stderr).toMatch(/1 of 161 images in bars cannot be decoded: bars.train.flat.broken\.png/);
    expect(code).toBe(0);
    expect(json).toMatchObject({ task: "classification", target: "label", model: "network", rows: { train: 102, validation: 18, test: 40 } });
    expect((json as { metrics: { accuracy: number } }).metrics.accuracy).toBeGreaterThan(0.9);
  });

  it("is predicted with the files' names, and evaluated", async () => {
    const { stdout } = await run("predict", "bars.bundle", "bars/test");
    const [header, ...rows] = stdout.trimEnd().split("\r\n");
    expect(header).toBe("prediction,probability_flat,probability_upright,file");
    expect(rows).toHaveLength(40);
    const right = rows.filter((row) => row.split(",")[3]?.includes(`${row.split(",")[0]}`)).length;
    const evaluated = await run("evaluate", "bars.bundle", "bars/test", "--json");
    expect(evaluated.json).toMatchObject({ ok: true, rows: 40, metrics: { accuracy: right / 40 } });
    const one = await run("predict", "bars.bundle", "bars/test/flat/0.png");
    expect(one.stdout.split("\r\n")[1]).toBe(rows.find((row) => row.endsWith("0.png") && row.includes("flat")));
  });

  it("is inspected: how many images each class has in each part", async () => {
    const { stdout } = await run("inspect", "bars");
    expect(stdout).toMatch(/bars {2}161 images, 2 classes/);
    expect(stdout).toMatch(/flat +20 +61/);
    expect((await run("inspect", "bars", "--json")).json).toMatchObject({ kind: "images", classes: { upright: { train: 60, test: 20 } } });
  });

  it("refuses an image that cannot be decoded rather than losing its row", async () => {
    const { code, stderr } = await run("predict", "bars.bundle", "bars/train/flat/broken.png");
    expect([code, stderr]).toEqual([2, expect.stringContaining("error DATA_MALFORMED: bars/train/flat/broken.png cannot be decoded")]);
    const table = await run("predict", "bars.bundle", "nothing.csv");
    expect([table.code, table.stderr]).toEqual([2, expect.stringContaining("FILE_UNREADABLE")]);
  });

  it("is served: the same image as numbers over HTTP gets the same answer", async () => {
    const server = startEspalier(["serve", "bars.bundle", "--port", "0"], folder.path);
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
      const { data } = await sharp(await readFile(place("bars/test/upright/3.png")))
        .resize(20, 20, { fit: "cover" })
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      const image = [0, 1, 2].map((channel) =>
        Array.from({ length: 20 }, (_, y) => Array.from({ length: 20 }, (__, x) => data[(y * 20 + x) * 3 + channel])),
      );
      const response = await fetch(`${url}/v1/models/bars.bundle:predict`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ instances: [{ image }] }),
      });
      const { predictions } = (await response.json()) as { predictions: { probabilities: Record<string, number> }[] };
      const [, row = ""] = (await run("predict", "bars.bundle", "bars/test/upright/3.png")).stdout.split("\r\n");
      expect(predictions[0]?.probabilities["flat"]).toBeCloseTo(Number(row.split(",")[1]), 4);
    } finally {
      server.kill("SIGINT");
      await new Promise((resolve) => server.once("close", resolve));
    }
  });

  it("resumes a run that was stopped to the same bits, augmentation and all", async () => {
    const options = ["--image-size", "16", "--epochs", "3", "--model", "network", "--backend", "reference"];
    const small = place("small");
    for (const name of ["flat", "upright"]) {
      await mkdir(join(small, name), { recursive: true });
      for (let i = 0; i < 20; i++) await writeFile(join(small, name, `${i}.png`), await readFile(place(`bars/train/${name}/${i * 3}.png`)));
    }
    const whole = await run("train", "small", ...options, "--out", "whole", "--json");
    expect(whole.code).toBe(0);
    const stopped = await espalier(["train", "small", ...options, "--out", "parts"], {
      cwd: folder.path,
      interruptWhen: (output) => output.includes("epoch 1/3"),
    });
    expect(stopped.code).toBe(130);
    const run2 = /espalier runs resume (\S+)/.exec(stopped.stderr)?.[1] ?? "";
    expect((await run("runs", "resume", run2)).code).toBe(0);
    const version = async (path: string): Promise<unknown> =>
      (JSON.parse(await readFile(place(`${path}/manifest.json`), "utf8")) as { version: string }).version;
    expect(await version("parts")).toBe(await version("whole"));
  });
});

it("a file in the IDX format finds its labels, and --no-augmentation gives another model", async () => {
  const random = noise();
  const header = (...sizes: readonly number[]): number[] => [0, 0, 8, sizes.length, ...sizes.flatMap((size) => [0, 0, size >> 8, size & 255])];
  const labels = Array.from({ length: 300 }, (_, i) => i % 3);
  // A bright third of a 6x6 image: upper, middle or lower.
  const pixels = labels.flatMap((label) =>
    Array.from({ length: 36 }, (_, i) => (Math.floor(i / 12) === label ? 150 : 0) + Math.floor(random.next().value * 100)),
  );
  await writeFile(place("train-images-idx3-ubyte"), Uint8Array.from([...header(300, 6, 6), ...pixels]));
  await writeFile(place("train-labels-idx1-ubyte"), Uint8Array.from([...header(300), ...labels]));
  const { json, code } = await run("train", "train-images-idx3-ubyte", "--model", "conv-net", "--epochs", "5", "--json", "--out", "thirds");
  expect(code).toBe(0);
  expect(json).toMatchObject({ model: "conv-net", target: "label", task: "classification" });
  expect((json as { metrics: { accuracy: number } }).metrics.accuracy).toBeGreaterThan(0.95);
  await run("train", "train-images-idx3-ubyte", "--model", "conv-net", "--epochs", "5", "--no-augmentation", "--out", "plain");
  const bytes = async (path: string): Promise<Buffer> => readFile(place(`${path}/model.safetensors`));
  expect((await bytes("thirds")).equals(await bytes("plain"))).toBe(false);
  expect((await run("evaluate", "plain", "train-images-idx3-ubyte", "--json")).json).toMatchObject({ rows: 300 });
  await rm(place("plain"), { recursive: true });
});
