import { join } from "node:path";
import { build } from "vite";

const root = join(import.meta.dirname, "..");

/** The built pages of `dist/browser`, by the folder of their sources: the demos and the page at `/`. */
const pages: readonly string[] = ["browser/demos/digits", "browser/page"];

/** Builds every page into `dist/browser`, which servers give out as it is. */
export async function buildPages(): Promise<void> {
  for (const page of pages) await build({ configFile: join(root, page, "vite.config.ts"), logLevel: "warn" });
}

if (import.meta.main) await buildPages();
