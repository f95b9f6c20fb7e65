import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * The folder of the built pages: the page at `/` and the demos.
 *
 * @returns undefined where they were not built (`npm run build` makes them): the server then has a plain form at `/`
 */
export function pagesFolder(): string | undefined {
  // Run from the sources this file is in node/, in the package in dist/node/.
  return ["../dist/browser", "../browser"]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((folder) => existsSync(`${folder}/demos/digits/index.html`) && existsSync(`${folder}/index.html`));
}
