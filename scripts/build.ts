import { execFile } from "node:child_process";
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "vite";
import { bundleModules } from "./bundle-modules.ts";

// Makes dist/ from nothing: the modules by tsc, core put into one of them, and the pages by vite.
const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");

await rm(dist, { recursive: true, force: true });
await Promise.all([buildModules(), buildPages()]);

async function buildModules(): Promise<void> {
  await runTypeScript(["-p", "tsconfig.build.json"]);
  await bundleModules(dist);
  await chmod(join(dist, "cli", "main.js"), 0o755); // `npx espalier` runs it as a program
}

/** The page that a server shows, and the demo that trains in the page: `dist/browser/index.html` and `dist/browser/demos/digits/`. */
async function buildPages(): Promise<void> {
  for (const page of ["browser/page", "browser/demos/digits"]) {
    await build({ configFile: join(root, page, "vite.config.ts"), logLevel: "warn" });
  }
}

async function runTypeScript(args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...args], { cwd: root });
  } catch (cause) {
    const { stdout = "" } = Object(cause) as { stdout?: string };
    process.stderr.write(stdout);
    throw new Error(`tsc ${args.join(" ")} failed`, { cause });
  }
}
