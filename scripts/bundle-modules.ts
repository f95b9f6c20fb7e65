import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "vite";

/**
 * Puts two built entries into one file each. Their single modules stay beside them for whoever reads them.
 *
 * - `dist/server/edge/index.js`, with the part of core that predicts and nothing that trains: a bundler that meets core as one module cannot leave the rest out
 *   (127 KB compressed instead of 95).
 * - `dist/backends/onnxruntime/index.js`, for a server's cold start; its threads' modules stay files of their own.
 * - `dist/core/index.js`: it loads in 10 ms instead of 36, as Node pays about 0.2 ms for every module.
 *
 * Modules that several of them use are still imported: `errors.js`, which the command line asks whether an error is ours, must not exist twice, nor must core.
 *
 * @param dist the folder that tsc wrote
 */
export async function bundleModules(dist: string): Promise<void> {
  await bundle(join(dist, "server", "edge", "index.js")); // before core is one module
  await bundle(join(dist, "core", "index.js"));
  await bundle(join(dist, "backends", "onnxruntime", "index.js"));
}

async function bundle(entry: string): Promise<void> {
  const kept = ["/errors.js", ...(entry.includes(join("backends", "onnxruntime")) ? ["/core/index.js"] : [])];
  const folder = join(entry, "..");
  const result = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: false,
      target: "node22",
      outDir: folder, // addresses of what stays outside are relative to it
      emptyOutDir: false,
      lib: { entry, formats: ["es"], fileName: "index" },
      // Names stay, for stack traces; comments and blanks go: half of what has to be read at every start.
      rolldownOptions: {
        output: { minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } } },
        external: (id) => /^(hono|@hono|node:|koffi$|onnxruntime-node)/.test(id) || kept.some((end) => id.endsWith(end)),
      },
    },
  });
  const [output] = [result].flat();
  if (output === undefined || !("output" in output)) throw new Error(`vite built nothing of ${entry}`);
  const [chunk, ...more] = output.output;
  if (more.length > 0) throw new Error(`${entry} became ${more.length + 1} files; it must be one`);
  const before = (await readFile(entry, "utf8")).length;
  await writeFile(entry, chunk.code);
  const name = entry.split(/[\\/]/).slice(-3, -1).join("/");
  process.stdout.write(`${name}: one module of ${Math.round(chunk.code.length / 1024)} KB (index was ${Math.round(before / 1024)} KB)\n`);
}
