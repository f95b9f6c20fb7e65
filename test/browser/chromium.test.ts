import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openChromium, watchPage } from "../support/chromium.ts";
import { bundlePage, type BundledPage } from "../support/page-bundle.ts";

let site: BundledPage;
beforeAll(async () => {
  site = await bundlePage(join(import.meta.dirname, "adapter.page.ts"));
});
afterAll(() => site.close());

for (const webgpu of [true, false]) {
  test(`a page sees ${webgpu ? "a software WebGPU adapter" : "no WebGPU adapter"} and a WebGL 2 context`, async () => {
    const browser = await openChromium({ webgpu });
    try {
      const page = await browser.newPage();
      const complaints = watchPage(page);
      await page.goto(site.url);
      expect(await page.evaluate("describeGraphics()")).toEqual({ secure: true, webgpu: webgpu ? "software" : "none", webgl: true });
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
}
