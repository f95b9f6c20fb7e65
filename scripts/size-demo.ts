import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { build, type Rollup } from "vite";

/** The size of the digits demo's JavaScript, and what it may be. */
export interface DemoSize {
  /** What a page and its worker load before training starts, compressed: runtimes come later, when one of them was chosen. */
  readonly gzipBytes: number;
  readonly limitBytes: number;
}

/** 450 KB: the demo's JavaScript before training starts, compressed. */
const limitBytes = 450_000;

/** Builds the demo in memory and adds up its first scripts and the worker's. */
export async function measureDemoSize(): Promise<DemoSize> {
  const configFile = join(import.meta.dirname, "../browser/demos/digits/vite.config.ts");
  const built = (await build({ configFile, logLevel: "error", build: { write: false } })) as Rollup.RollupOutput; // one configuration, not watching
  const files = new Map(built.output.map((file) => [file.fileName, file]));
  const first = built.output.filter((file) => (file.type === "chunk" ? file.isEntry : /worker-[\w-]+\.js$/.test(file.fileName)));
  const counted = new Set<string>();
  const visit = (name: string): number => {
    const file = files.get(name);
    if (file === undefined || counted.has(name)) return 0;
    counted.add(name);
    const own = gzipSync(file.type === "chunk" ? file.code : file.source).length;
    return file.type === "chunk" ? file.imports.reduce((sum, other) => sum + visit(other), own) : own;
  };
  const gzipBytes = first.reduce((sum, file) => sum + visit(file.fileName), 0);
  if (first.length < 2) throw new Error(`the demo has ${first.length} first scripts; the page's and the worker's were expected`);
  return { gzipBytes, limitBytes };
}

if (import.meta.main) console.log(JSON.stringify(await measureDemoSize()));
