import { expect, test } from "vitest";
import { measureDemoSize } from "./size-demo.ts";

test("the digits demo loads less JavaScript before training than it may, and not almost nothing", { timeout: 60_000 }, async () => {
  const { gzipBytes, limitBytes } = await measureDemoSize();
  expect(gzipBytes).toBeLessThan(limitBytes);
  // The page's and the worker's scripts are both counted: Preact, the chart, the graph and the training loop.
  expect(gzipBytes).toBeGreaterThan(80_000);
});
