import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { serveFolder } from "./static-server.ts";

/** A module bundled for browsers and served on a page of its own. */
export interface BundledPage {
  readonly url: string;
  /** What is served; files put here are there for the page. */
  readonly folder: string;
  close(): Promise<void>;
}

/**
 * Bundles a module as a browser application would and serves an otherwise empty page that loads it.
 *
 * @param entry the module's absolute path; it usually puts functions on `globalThis` for `page.evaluate`
 */
export async function bundlePage(entry: string): Promise<BundledPage> {
  const folder = await mkdtemp(join(tmpdir(), "espalier-page-"));
  const root = join(import.meta.dirname, "../..");
  await build({
    root,
    base: "./",
    configFile: false,
    logLevel: "error",
    publicDir: false,
    build: {
      outDir: join(folder, "site"),
      emptyOutDir: true,
      minify: false,
      target: "esnext",
      rollupOptions: { input: entry, output: { entryFileNames: "entry.js" } },
    },
    worker: { format: "es" },
  });
  await writeFile(
    join(folder, "site", "index.html"),
    '<!doctype html><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,"><script type="module" src="entry.js"></script>',
  );
  const server = await serveFolder(join(folder, "site"));
  return {
    url: server.url,
    folder: join(folder, "site"),
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
