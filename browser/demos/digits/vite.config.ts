import { join } from "node:path";
import { defineConfig, type UserConfig } from "vite";

/** The demo as static files with relative addresses: it works from any folder of any host. */
const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  base: "./",
  publicDir: false,
  build: {
    outDir: join(import.meta.dirname, "../../../dist/browser/demos/digits"),
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
  },
  worker: { format: "es" },
});

export default config;
