import { readFileSync } from "node:fs";

/** Espalier's version, from its package.json: beside the sources, or one folder up from `dist`. */
export function packageVersion(): string {
  for (const place of ["../package.json", "../../package.json"]) {
    try {
      const found: unknown = JSON.parse(readFileSync(new URL(place, import.meta.url), "utf8"));
      if (typeof found === "object" && found !== null && "version" in found) return String(found.version);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
  return "unknown";
}
