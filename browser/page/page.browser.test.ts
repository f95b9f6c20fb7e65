import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createModelRegistry, createServer } from "../../server/index.ts";
import { folderAssets, listen, type Listener } from "../../server/node/index.ts";
import { createScriptedPredictor } from "../../server/testing/scripted-predictor.ts";
import { openChromium, watchPage } from "../../test/support/chromium.ts";
import { drawnDigits, drawOn } from "../../test/support/strokes.ts";

let folder: string;
let listener: Listener;
let browser: Browser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-page-"));
  await build({ configFile: join(import.meta.dirname, "vite.config.ts"), logLevel: "error", build: { outDir: folder } });
  const registry = createModelRegistry();
  registry.add(createScriptedPredictor());
  const ink = createScriptedPredictor({
    name: "ink",
    inputs: [{ name: "image", kind: "tensor", shape: [1, 8, 8], optional: false }],
    example: { image: [Array.from({ length: 8 }, () => [0, 0, 0, 16, 16, 0, 0, 0])] },
    target: { task: "regression", column: "ink", mean: 0, standardDeviation: 1 },
  });
  const features = { features: [{ kind: "image", column: "image", shape: [1, 8, 8], scale: 1 / 16 }] } as const;
  registry.add({ ...ink, manifest: { ...ink.manifest, features } });
  const photo = createScriptedPredictor({
    name: "photo",
    inputs: [{ name: "image", kind: "tensor", shape: [3, 1, 2], optional: false }],
    example: { image: [[[0, 0]], [[0, 0]], [[0, 0]]] },
    target: { task: "regression", column: "score", mean: 0, standardDeviation: 1 },
  });
  const colours = { features: [{ kind: "image", column: "image", shape: [3, 1, 2], scale: 1 / 255 }] } as const;
  registry.add({ ...photo, manifest: { ...photo.manifest, features: colours } });
  listener = await listen(createServer({ registry, assets: folderAssets(folder) }).fetch, { port: 0, host: "127.0.0.1" });
  browser = await openChromium();
});
afterAll(async () => {
  await browser.close();
  await listener.close();
  await rm(folder, { recursive: true, force: true });
});

async function visit(width: number, work: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.newPage({ viewport: { width, height: 740 } });
  const complaints = watchPage(page);
  await page.goto(`http://127.0.0.1:${listener.port}/`);
  await work(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  expect(complaints).toEqual([]);
  await page.close();
}

const verdict = (page: Page) => page.locator(".verdict strong");

describe("the page at /", () => {
  test("is one file", async () => {
    expect(await readdir(folder)).toEqual(["index.html"]);
  });

  for (const width of [360, 1100]) {
    test(`has a form for a table's model that answers as it is filled in, ${width} px wide`, async () => {
      await visit(width, async (page) => {
        await page.getByRole("heading", { name: "shapes" }).waitFor();
        await verdict(page).waitFor(); // the example is asked at once
        await page.getByLabel("width").fill("4");
        await page.getByLabel("height").fill("");
        // 4, a missing height counts 100, "red" has 3 letters: 107 mod 3 is 2.
        await page.locator(".verdict strong", { hasText: "star" }).waitFor();
        expect(await page.locator(".bars li.best .name").innerText()).toBe("star");
        await page.getByText("The same from your own program").click();
        expect(await page.locator("pre").innerText()).toContain("/v1/models/shapes/versions/");
        await page.getByLabel("width").fill("");
        await page.getByText("Fill in width.").waitFor();
        await verdict(page).waitFor({ state: "detached" });
        await page.getByLabel("width").fill("5");
        await verdict(page).waitFor();
      });
    });

    test(`has a canvas for a model of images, whose drawing is asked about as it is drawn, ${width} px wide`, async () => {
      await visit(width, async (page) => {
        await page.getByLabel("Model", { exact: true }).selectOption("ink");
        const canvas = page.getByRole("img", { name: "Draw here" });
        await canvas.waitFor();
        expect(await page.locator(".unknown").innerText()).toBe("?");
        await drawOn(page, canvas, drawnDigits.zero);
        await verdict(page).waitFor();
        const first = await verdict(page).innerText();
        expect(Number(first.replaceAll(",", ""))).toBeGreaterThan(0);
        await page.getByRole("button", { name: "Clear" }).click();
        await verdict(page).waitFor({ state: "detached" });
        await drawOn(page, canvas, drawnDigits.two);
        await page.waitForFunction((before) => ![undefined, before].includes(document.querySelector(".verdict strong")?.textContent), first);
      });
    });
  }

  test("takes a picture for a model of colour images, and says when a file is none", async () => {
    await visit(800, async (page) => {
      await page.getByLabel("Model", { exact: true }).selectOption("photo");
      const picture = await sharp({ create: { width: 40, height: 20, channels: 3, background: { r: 10, g: 20, b: 30 } } })
        .png()
        .toBuffer();
      await page.getByLabel("Picture", { exact: true }).setInputFiles({ name: "plain.png", mimeType: "image/png", buffer: picture });
      await verdict(page).waitFor();
      // Values times their place: 10 * (1 + 2) + 20 * (3 + 4) + 30 * (5 + 6).
      expect(await verdict(page).innerText()).toBe("500");
      await page.getByLabel("Picture", { exact: true }).setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("none") });
      await page.getByText("notes.txt is no picture that this browser reads").waitFor();
      await verdict(page).waitFor({ state: "detached" });
    });
  });

  test("links to the documentation and the metrics, which are there", async () => {
    await visit(800, async (page) => {
      for (const name of ["Docs", "Metrics"]) {
        const address = await page.getByRole("link", { name }).evaluate((link) => (link as HTMLAnchorElement).href);
        expect((await page.request.get(address)).status()).toBe(200);
      }
    });
  });
});
