import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openReference } from "../../backends/reference/index.ts";
import {
  columnsFromRows,
  convNet,
  createBundle,
  createPredictor,
  encodeBundle,
  exampleRow,
  fitFeatures,
  fitTarget,
  inputFields,
  profileColumns,
  sliceRows,
  type Bundle,
} from "../../core/index.ts";
import { digitFeatures, loadDigits } from "../../examples/load-digits.ts";
import { openChromium, watchPage } from "../support/chromium.ts";
import { bundlePage, type BundledPage } from "../support/page-bundle.ts";

let site: BundledPage;
let browser: Browser;
let bundle: Bundle;
beforeAll(async () => {
  site = await bundlePage(join(import.meta.dirname, "predictor.page.ts"));
  browser = await openChromium();
  const { table, fingerprint } = await loadDigits();
  const rows = sliceRows(table, 0, 100);
  const features = await fitFeatures(digitFeatures, [rows]);
  bundle = createBundle({
    name: "digits",
    model: convNet({ shape: [1, 8, 8], head: { task: "classification", classes: 10 }, seed: 4 }),
    features,
    target: fitTarget(rows, "digit", { task: "classification" }),
    inputs: inputFields(features, await profileColumns([rows])),
    example: exampleRow(features, rows),
    metrics: {},
    lineage: { seed: 4, data: { fingerprint, rows: rows.length, source: "digits.csv.gz" } },
    environment: {},
    createdAt: "2026-01-01T00:00:00.000Z",
  });
  const bytes = await encodeBundle(bundle);
  await writeFile(join(site.folder, "digits.safetensors"), bytes);
  const flipped = bytes.slice();
  flipped[bytes.length - 5]! ^= 1; // inside the last tensor
  await writeFile(join(site.folder, "flipped.safetensors"), flipped);
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

async function openPage(): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(site.url);
  return page;
}

test("openPredictor in a page answers as the reference backend does in Node, to 1e-5", async () => {
  const page = await openPage();
  const complaints = watchPage(page);
  const found: { backend: string; probabilities: number[] } = await page.evaluate('predictExample("digits.safetensors")');
  const predictor = await createPredictor(bundle, openReference());
  const expected = await predictor.predict(columnsFromRows([bundle.manifest.example], bundle.manifest.inputs));
  if (expected.task !== "classification") throw new Error("the digits are classes");
  expect(found.backend).toBe("tfjs-wasm");
  expect(found.probabilities).toHaveLength(10);
  for (const [i, probability] of expected.probabilities.entries()) expect(Math.abs((found.probabilities[i] ?? 0) - probability)).toBeLessThan(1e-5);
  expect(complaints).toEqual([]);
});

test("openPredictor refuses a file that is not there, one that is no bundle, and one with a flipped bit", async () => {
  const page = await openPage();
  expect(await page.evaluate('failureOf("missing.safetensors")')).toBe("FILE_UNREADABLE");
  expect(await page.evaluate('failureOf("entry.js")')).toBe("BUNDLE_INVALID");
  expect(await page.evaluate('failureOf("flipped.safetensors")')).toBe("BUNDLE_CORRUPT");
});
