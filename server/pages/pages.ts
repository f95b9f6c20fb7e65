import type { AssetSource } from "../assets.ts";
import type { ServerApp } from "../protocols/protocol.ts";
import type { ModelRegistry } from "../registry.ts";
import { tryPage } from "./try-page.ts";

/** The page at `/` and built demos below `/demos/`. A page that was not built is replaced by a plain one, or answers 404 with the reason. */
export function mountPages(app: ServerApp, { registry, assets }: { registry: ModelRegistry; assets?: AssetSource }): void {
  app.get("/", async (c) => {
    const page = await assets?.read("index.html");
    return page === undefined ? c.html(tryPage(registry.list())) : c.body(page.bytes, 200, { "content-type": page.contentType });
  });
  app.get("/favicon.ico", (c) => c.body(null, 204, { "cache-control": "max-age=86400" }));
  app.get("/demos/*", async (c) => {
    const path = cleanPath(c.req.path);
    if (path === undefined) return c.notFound();
    if (!path.includes(".", path.lastIndexOf("/")) && !path.endsWith("/")) return c.redirect(`${c.req.path}/`, 301);
    const asset = await assets?.read(path.endsWith("/") ? `${path}index.html` : path);
    return asset === undefined ? c.notFound() : c.body(asset.bytes, 200, { "content-type": asset.contentType, "cache-control": "no-cache" });
  });
}

/** A relative path without `..`, or undefined: an asset source never sees anything else. */
function cleanPath(path: string): string | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  const relative = decoded.replace(/^\/+/, "");
  const safe = relative.split("/").every((part) => part !== ".." && part !== "." && !part.startsWith(".") && !/[\\\0]/.test(part));
  return safe ? relative : undefined;
}
