import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openReference } from "../../../backends/reference/index.ts";
import { createPredictor, decodeBundle } from "../../../core/index.ts";
import { loadDigits } from "../../../examples/load-digits.ts";
import { openChromium, watchPage, type ChromiumOptions } from "../../../test/support/chromium.ts";
import { serveFolder, type StaticServer } from "../../../test/support/static-server.ts";
import { drawnDigits, drawOn } from "../../../test/support/strokes.ts";

let folder: string;
let site: StaticServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-digits-"));
  await build({ configFile: join(import.meta.dirname, "vite.config.ts"), logLevel: "error", build: { outDir: join(folder, "site") } });
  site = await serveFolder(join(folder, "site"));
});
afterAll(async () => {
  await site.close();
  await rm(folder, { recursive: true, force: true });
});

interface Visit {
  readonly query?: string;
  readonly width?: number;
  readonly chromium?: ChromiumOptions;
}

/** Opens the page in a browser of its own; fails when the page complained of anything. */
async function visit({ query = "", width = 1100, chromium = {} }: Visit, work: (page: Page) => Promise<void>): Promise<void> {
  const browser: Browser = await openChromium(chromium);
  try {
    const page = await browser.newPage({ viewport: { width, height: 800 } });
    const complaints = watchPage(page);
    await page.goto(site.url + query);
    await work(page);
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
  }
}

const figure = async (page: Page, name: string): Promise<number> =>
  Number.parseFloat((await page.locator(".figures div", { hasText: name }).locator("dd").innerText()).replaceAll(",", ""));

const finish = async (page: Page): Promise<void> => {
  await page.getByText(/^(Finished|That did not work)/).waitFor({ timeout: 150_000 });
  expect(await page.locator(".status").innerText()).toMatch(/^Finished/);
};

const canvasOf = (page: Page) => page.getByRole("img", { name: "Draw a digit here" });

describe("the digits demo", () => {
  test("without a WebGPU adapter it trains on WebAssembly, reads drawings, and its bundle predicts the same in Node", async () => {
    await visit({}, async (page) => {
      await page.getByRole("button", { name: "Start training" }).click();
      await finish(page);
      expect(await figure(page, "Held-out accuracy")).toBeGreaterThanOrEqual(97);
      expect(await page.locator(".backend").innerText()).toMatch(/tfjs-wasm on WebAssembly.*webgpu: .*no adapter.*software adapter/);
      expect(await page.locator(".confusion tbody tr").count()).toBe(10);
      expect(await page.locator(".samples li").count()).toBe(40);
      for (const [digit, strokes] of [
        ["2", drawnDigits.two],
        ["0", drawnDigits.zero],
      ] as const) {
        await drawOn(page, canvasOf(page), strokes);
        await page.locator(".verdict strong", { hasText: digit }).waitFor();
        await page.getByRole("button", { name: "Clear" }).click();
        await page.locator(".verdict strong").waitFor({ state: "detached" });
      }

      const download = page.waitForEvent("download");
      await page.getByRole("button", { name: "Download bundle" }).click();
      const file = await (await download).path();
      const bundle = await decodeBundle(await readFile(file));
      expect(bundle.manifest.metrics["accuracy"]).toBeCloseTo((await figure(page, "Held-out accuracy")) / 100, 2);
      const predictor = await createPredictor(bundle, openReference());
      const { table } = await loadDigits();
      const answers = await predictor.predict(table);
      const digits = table.columns.get("digit");
      if (answers.task !== "classification" || digits?.kind !== "number") throw new Error("digits are classes");
      const right = Array.from(answers.labels).filter((label, row) => Number(answers.classes[label]) === digits.values[row]).length;
      expect(right / table.length).toBeGreaterThan(0.98);
      expect(bundle.manifest.lineage.data.rows).toBe(1797);
    });
  });

  test("on a WebGPU adapter that is asked for it trains with our engine", async () => {
    await visit({ query: "?backend=webgpu&epochs=8", chromium: { webgpu: true } }, async (page) => {
      await page.getByRole("button", { name: "Start training" }).click();
      await finish(page);
      expect(await page.locator(".badge").innerText()).toBe("webgpu");
      expect(await figure(page, "Held-out accuracy")).toBeGreaterThanOrEqual(95);
    });
  });

  test("a software WebGPU adapter loses to WebAssembly, and the page says so", async () => {
    await visit({ query: "?epochs=1", chromium: { webgpu: true } }, async (page) => {
      await page.getByRole("button", { name: "Start training" }).click();
      await finish(page);
      expect(await page.locator(".backend").innerText()).toMatch(/^tfjs-wasm.*webgpu: .*swiftshader.*software adapter/);
    });
  });

  test("a backend that is asked for and not there is an error on the page, which can be tried again", async () => {
    await visit({ query: "?backend=webgpu" }, async (page) => {
      await page.getByRole("button", { name: "Start training" }).click();
      await page.getByText(/^That did not work: .*webgpu/).waitFor();
      expect(await page.getByRole("button", { name: "Start training" }).isEnabled()).toBe(true);
    });
  });

  test("training pauses where it is, answers while it waits, goes on, and stops early with the model that it has", async () => {
    await visit({ query: "?epochs=500" }, async (page) => {
      await page.getByRole("button", { name: "Start training" }).click();
      await page.locator(".samples li").first().waitFor({ timeout: 60_000 });
      await page.getByRole("button", { name: "Pause" }).click();
      await drawOn(page, canvasOf(page), drawnDigits.zero);
      await page.locator(".verdict strong").waitFor();
      // The worker has answered after it heard of the pause: what it was doing has been told.
      const [epoch, loss] = [await figure(page, "Epoch"), await figure(page, "Loss")];
      for (let round = 0; round < 3; round++) {
        await page.getByRole("button", { name: "Clear" }).click();
        await drawOn(page, canvasOf(page), drawnDigits.two);
        await page.locator(".verdict strong").waitFor();
      }
      expect([await figure(page, "Epoch"), await figure(page, "Loss")]).toEqual([epoch, loss]);
      await page.getByRole("button", { name: "Resume" }).click();
      await page.waitForFunction((before) => !document.querySelector(".figures dd")?.textContent?.startsWith(`${before} /`), epoch);
      await page.getByRole("button", { name: "Stop" }).click();
      await finish(page);
      expect(await figure(page, "Epoch")).toBeLessThan(500);
      await page.getByRole("button", { name: "Train again" }).click();
      await page.getByRole("button", { name: "Pause" }).waitFor({ timeout: 60_000 });
    });
  });

  for (const width of [360, 700]) {
    test(`nothing is wider than a window of ${width} px, before and after training`, async () => {
      await visit({ query: "?epochs=1", width }, async (page) => {
        const overflow = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        await page.getByRole("button", { name: "Start training" }).waitFor();
        expect(await overflow()).toBeLessThanOrEqual(0);
        await page.getByRole("button", { name: "Start training" }).click();
        await finish(page);
        expect(await overflow()).toBeLessThanOrEqual(0);
      });
    });
  }
});
