import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser, Page } from "playwright-core";
import { createModelRegistry, createServer } from "../../server/index.ts";
import { listen, type Listener } from "../../server/node/index.ts";
import { createScriptedPredictor } from "../../server/testing/scripted-predictor.ts";
import { openChromium, watchPage } from "../support/chromium.ts";

let listener: Listener;
let browser: Browser;

beforeAll(async () => {
  const registry = createModelRegistry();
  registry.add(createScriptedPredictor());
  registry.add(
    createScriptedPredictor({
      name: "tiny-image",
      inputs: [{ name: "image", kind: "tensor", shape: [1, 2, 2], optional: false }],
      example: { image: [1, 2, 3, 4] },
      target: { task: "regression", column: "ink", mean: 0, standardDeviation: 1 },
    }),
  );
  listener = await listen(createServer({ registry }).fetch, { port: 0, host: "127.0.0.1" });
  browser = await openChromium();
});

afterAll(async () => {
  await browser?.close();
  await listener?.close();
});

/** Opens a page of a telephone's width and hears what it complains of. */
async function open(path: string): Promise<{ page: Page; complaints: readonly string[] }> {
  const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
  const complaints = watchPage(page);
  await page.goto(`http://127.0.0.1:${listener.port}${path}`);
  return { page, complaints };
}

describe("the server's own pages, 360 px wide", () => {
  it("predict from the form at /", async () => {
    const { page, complaints } = await open("/");
    const forms = page.locator("form");
    await forms.nth(0).getByLabel("width").fill("4");
    await forms.nth(0).getByLabel("height").fill("");
    await forms.nth(0).getByRole("button", { name: "Predict" }).click();
    // 4, a missing height counts 100, "red" has 3 letters: 107 mod 3 is 2.
    await forms.nth(0).locator("pre", { hasText: "star" }).waitFor();
    await forms.nth(1).getByRole("button", { name: "Predict" }).click();
    await forms.nth(1).locator("pre", { hasText: "30" }).waitFor(); // 1*1 + 2*2 + 3*3 + 4*4
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("send every operation's example from /docs", async () => {
    const { page, complaints } = await open("/docs");
    for (const id of ["shapes_predict", "shapes_infer", "tiny-image_infer"]) {
      const operation = page.locator(`[id="${id}"]`);
      await operation.locator("summary").first().click();
      await operation.getByRole("button", { name: "Send" }).click();
      await operation.locator("form pre", { hasText: "200" }).waitFor();
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    expect(complaints).toEqual([]);
    await page.close();
  });
});
