import { join } from "node:path";
import { defineConfig, type Plugin, type UserConfig } from "vite";

/** The page at `/` as one file: whoever serves it needs no folder beside it. */
const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  base: "./",
  publicDir: false,
  plugins: [inlineAll()],
  build: { outDir: join(import.meta.dirname, "../../dist/browser"), emptyOutDir: false, target: "es2023", modulePreload: { polyfill: false } },
});

export default config;

/** Puts the page's only script and style sheet into the page itself. */
function inlineAll(): Plugin {
  return {
    name: "inline-all",
    enforce: "post",
    generateBundle(_options, bundle) {
      const page = bundle["index.html"];
      if (page?.type !== "asset") throw new Error("vite made no index.html");
      let html = String(page.source);
      for (const [name, file] of Object.entries(bundle)) {
        if (file === page) continue;
        const address = `"./${name}"`;
        const tag = file.type === "chunk" ? new RegExp(`<script[^>]*src=${address}[^>]*></script>`) : new RegExp(`<link[^>]*href=${address}[^>]*>`);
        if (!tag.test(html)) throw new Error(`${name} is not a script or style sheet of the page`);
        const inline =
          file.type === "chunk"
            ? `<script type="module">${file.code.replaceAll("</script", String.raw`<\/script`)}</script>`
            : `<style>${String(file.source)}</style>`;
        // A module script at the end of the head runs when the page is read, as it did from its own file.
        html = html.replace(tag, () => inline);
        delete bundle[name];
      }
      page.source = html;
    },
  };
}
