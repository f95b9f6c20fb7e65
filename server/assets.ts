/** One file of a page. */
export interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** For instance `text/html; charset=utf-8`. */
  readonly contentType: string;
}

/** Where built pages come from: a folder on Node, modules of the worker at the edge. */
export interface AssetSource {
  /**
   * @param path relative, with forward slashes, never starting with one: `index.html` (the page at `/`), `demos/digits/index.html`
   * @returns undefined when there is no such file
   */
  read(path: string): Promise<Asset | undefined>;
}

/** The content type of a file, by its name's ending. */
export function contentTypeOf(path: string): string {
  return contentTypes[path.slice(path.lastIndexOf(".") + 1).toLowerCase()] ?? "application/octet-stream";
}

const contentTypes: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  gz: "application/gzip",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  map: "application/json",
  mjs: "text/javascript; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  webmanifest: "application/manifest+json",
  woff2: "font/woff2",
};
